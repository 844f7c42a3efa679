"""Reading for pages: ordered, paged, in the caller's row scope."""
