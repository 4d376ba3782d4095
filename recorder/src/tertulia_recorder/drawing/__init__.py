"""The picture: layout, planes, text."""
