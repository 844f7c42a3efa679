"""The process engine behind an opaque state; the only package that imports SpiffWorkflow."""
