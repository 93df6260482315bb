"""Dashboards, alerts and recording rules; `make grafana` writes what is made from tables."""
