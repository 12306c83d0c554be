"""The store of a collection, on Lance."""
