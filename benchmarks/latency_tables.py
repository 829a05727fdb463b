"""What latency.py prints."""

GOAL = 1.25


def table(result: dict[str, object]) -> str:
    """Return the Markdown tables."""
    alone, alone_cpu = result["encoder_alone_ms_p50"], result["encoder_alone_cpu_ms"]
    lines = [
        f"{result['incidents']} incidents; start to ready {result['start_s']['first']} s, again {result['start_s']['second']} s; "
        f"RSS {result['rss_mb']} MB; import {result['import']['rows_per_s']} rows/s",
        "",
        "| tokens | clients | p50 ms | p95 ms | requests/s | encode | classify | search | store "
        "| beside the encoder: in the service, p50 ms | with HTTP and the client, p50 ms | encoder alone, p50 ms | whole / encoder "
        "| processor time of the service, ms | of the encoder alone, ms | whole / encoder |",
        "|" + "---|" * 16,
    ]
    for row in result["rows"]:
        spent, n = row["parts_ms_p50"], row["tokens"]
        lines.append(
            f"| {n}{', the same text again' if row['again'] else ''} | {row['clients']} | {row['p50_ms']} | {row['p95_ms']} "
            f"| {row['requests_per_s']} | {spent['encode']} | {spent['classify']} | {spent['search']} | {spent['store']} "
            f"| {row['beside_encoder_in_service_ms_p50']} | {row['beside_encoder_ms_p50']} | {alone[n]} "
            f"| {row['p50_ms'] / alone[n]:.2f} | {row['cpu_ms']} | {alone_cpu[n]} | {row['cpu_ms'] / alone_cpu[n]:.2f} |"
        )
    return "\n".join([*lines, "", _verdict(result), *(_beside_before(result) if result["before"] else [])])


def _verdict(result: dict[str, object]) -> str:
    once = [row for row in result["rows"] if row["clients"] == 1 and not row["again"]]
    ratios = [row["p50_ms"] / result["encoder_alone_ms_p50"][row["tokens"]] for row in once]
    return (
        f"Goal: a whole suggestion of one client in less than {GOAL} x the encoder's own time on the same text: "
        f"{'reached' if max(ratios) < GOAL else 'missed'} ({min(ratios):.2f} at best, {max(ratios):.2f} at worst). "
        f"With {max(row['clients'] for row in result['rows'])} clients requests wait for each other, and the ratio says how long."
    )


def _beside_before(result: dict[str, object]) -> list[str]:
    """Return the table of both checkouts, which were asked in turn."""
    former = result["before"]
    lines = [
        "",
        f"Beside the checkout before, asked in turn (its RSS: {former['rss_mb']} MB):",
        "",
        "| tokens | clients | p50 ms, before | now | requests/s, before | now | now / before | processor time, ms, before | now | now / before |",
        "|" + "---|" * 10,
    ]
    for was, row in zip(former["rows"], result["rows"], strict=True):
        lines.append(
            f"| {row['tokens']}{', the same text again' if row['again'] else ''} | {row['clients']} | {was['p50_ms']} | {row['p50_ms']} "
            f"| {was['requests_per_s']} | {row['requests_per_s']} | {row['requests_per_s'] / was['requests_per_s']:.2f} "
            f"| {was['cpu_ms']} | {row['cpu_ms']} | {row['cpu_ms'] / was['cpu_ms']:.2f} |"
        )
    return lines
