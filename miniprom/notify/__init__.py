"""Delivery of alerts: to Alertmanagers, or by a sink of our own."""
