"""Counts, shares and their intervals, and the differential that they make."""

from blood_lib.counts.counts import Count, compute_counts, compute_shares, count, interval

__all__ = ["Count", "compute_counts", "compute_shares", "count", "interval"]
