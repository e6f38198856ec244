"""Between AST and execution: what is to be computed, and what of it only once."""

from query.plan.build import build_plan
from query.plan.nodes import PlanNode, QueryWindow

__all__ = ["PlanNode", "QueryWindow", "build_plan"]
