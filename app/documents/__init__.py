"""Supporting documents as bytes: what they are, whether they are sound, and what can be shown of them."""
