"""Drivers: what makes a PBX do it. One kind of PBX a group of files, all alike from outside."""
