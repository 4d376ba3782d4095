"""What several suites need: the product as a process, browsers with people in front of them."""
