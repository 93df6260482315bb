"""Every metric with its help text."""

from gateway.metrics.line import CHARGES, GUESTS, LineMetrics
from gateway.metrics.service import Metrics
from gateway.metrics.standby import StandbyMetrics

__all__ = ["CHARGES", "GUESTS", "LineMetrics", "Metrics", "StandbyMetrics"]
