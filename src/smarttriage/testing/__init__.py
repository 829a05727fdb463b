"""Contract suites for every port, factories and fakes, shipped so that a new adapter can be tested against them."""
