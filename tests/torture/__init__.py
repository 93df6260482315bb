"""Every promise under every fault: short forms run with the tests, full figures by `make torture`."""
