"""What a query took, with upstream's names (util/stats/query_stats.go)."""

from query import Statistics


def timings_seconds(
    stats: Statistics, evaluation_seconds: float, queue_seconds: float = 0.0
) -> dict[str, float]:
    """The stages of a query; the evaluation is all of it but the wait for a thread."""
    return {
        "evalTotalTime": evaluation_seconds,
        "resultSortTime": stats.sorting_seconds,
        "queryPreparationTime": stats.preparation_seconds,
        "innerEvalTime": stats.evaluation_seconds,
        "execQueueTime": queue_seconds,
        "execTotalTime": evaluation_seconds + queue_seconds,
    }


def statistics_object(
    stats: Statistics, timings: dict[str, float], *, by_step: bool = False
) -> dict[str, object]:
    """Timings and counts of samples, as far as the engine counts them; also for each step if asked for."""
    counted = {"totalQueryableSamples": stats.samples_per_step}
    if stats.read_per_step is not None:
        counted["samplesRead"] = stats.read_per_step
    samples: dict[str, object] = {name: int(counts.sum()) for name, counts in counted.items()}
    samples["peakSamples"] = stats.peak_samples
    if by_step:
        for name, counts in counted.items():
            by_time = zip(stats.steps_ms.tolist(), counts.tolist(), strict=True)
            samples[f"{name}PerStep"] = [[time_ms / 1000, count] for time_ms, count in by_time]
    return {"timings": timings, "samples": samples}
