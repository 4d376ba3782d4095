"""The composition: the one place that knows every part."""
