"""Between AST and execution: what is to be computed, and what of it only once."""

from query.plan.batch import Batch
from query.plan.build import build_plan
from query.plan.nodes import PlanNode, QueryWindow
from query.plan.sharing import Shared, shared_parts

__all__ = ["Batch", "PlanNode", "QueryWindow", "Shared", "build_plan", "shared_parts"]
