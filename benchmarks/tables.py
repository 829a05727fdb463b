"""Puts every table of benchmarks/results/ into benchmarks/README.md, as the benchmark printed it.

python benchmarks/tables.py
"""

from pathlib import Path

HERE = Path(__file__).resolve().parent
HEAD = """# Benchmarks

Each section is what a command printed, with the command, the date, the machine and the versions; `python benchmarks/tables.py` puts them
together, no number is typed in by hand. The data is read from `../shared/data` and is not part of the project. The machine is small and
shared: compare figures of one run, not single times of two. `make bench` redoes all of them.
"""
SECTIONS = {
    "classifiers": "Classification: smarttriage beside majority and TF-IDF baselines, trained on train, reported on dev",
    "calibration": "Calibration: with and without it, beside what chance alone would show",
    "contracts": "Precision contracts: promised and kept on unseen rows",
    "hierarchy": "Hierarchy: a tree of targets beside flat models, and stopping at the level where confidence ends",
    "dont_know": 'Honest "don\'t know": what is refused, what passes, and which real tickets are refused with it',
    "cold_start": "Cold start: descriptions alone, then 1 to 100 labels a class, beside TF-IDF + LinearSVC and embeddings + LogisticRegression",
    "cold_start_development": "Cold start: the sets on which its design was chosen",
    "retrieval": "Retrieval: dense, lexical and hybrid",
    "rerank": "A second stage: late interaction over the first twenty, and what a cross-encoder costs",
    "silence": "When nothing is suggested, and how likely the first suggestion is right",
    "silence_fast": "The same with the small encoder",
    "encoders": "Encoders: three layers and six, trained on IT texts, beside all-MiniLM-L6-v2",
    "encoder_share_quality": "How far from all-MiniLM-L6-v2 the trained weights go: six layers",
    "encoder_share_fast": "How far from the distilled weights the trained ones go: three layers",
    "bilingual": "German, French, Dutch and Spanish incidents asked of English articles",
    "long_texts": "Texts beyond the encoder's window: cut, or read by passages",
    "index_kinds": "Vector index: exact search, lists and graphs, by size and precision",
    "indexes": "Vector index as the service chooses it: search, changes, memory, saving and loading, 1,000 to 1,000,000 rows",
    "similar": "Similar incidents: duplicates, outages, and how many different problems a list of five shows",
    "similar_scale": "Similar incidents among 20,000, 100,000 and 1,000,000 past ones: time and memory",
    "bulk": "Bulk embedding: texts per second beside sentence-transformers, and resuming after kill -9",
    "latency": "A suggestion over HTTP",
    "latency_fast": "A suggestion over HTTP with the small encoder",
    "limit": "How near the encoder is to what a core can do",
    "graph_fusion": "The encoder's graph with fused attention",
    "peers": "Beside what one would pick instead: time, memory and quality over HTTP",
    "load": "Suggestions while resolutions come in, 5,000 articles and 100,000 past incidents",
    "training_speed": "Speed: training, one classification, its explanation, a batch of 10,000",
    "backtest": "Backtest: months walked in order, and what their forecast was worth",
    "voting": "One correction: reviewed neighbours vote beside the model",
    "salutations": "Greetings and closings: how many real texts have them, how many cuts are right, and what it costs",
    "notes": "Resolution notes: which say what was done, beside rules, length and TF-IDF",
    "loop": "The knowledge loop: recall while the knowledge base grows from empty, with the loop and without it",
    "same_fix": "From which cosine an article says what a resolution says",
    "explanations": "Explanations: are the cited words those that decide, and what would have to be otherwise",
    "promotion": "A hundred retrains, many on bad batches: what gets promoted with the gate and without it",
    "evidence": "Evidence: how long wrong and outdated articles stay first, and how many good ones fall with them",
    "gaps": "Knowledge gaps: are the topics found that a knowledge base lacks",
    "stuffing": "Stuffed articles: made-up ones that are found, and real ones that pass",
    "poisoning": "Poisoned resolutions, corrections, outcomes and articles: how far they get before a review, and what an undo leaves",
    "hygiene": "Hygiene: from which cosine two articles are twins, and what looking through a knowledge base costs",
    "kpi_cost": "Key figures and escalation: what a report on 100,000 incidents and a pass over their clocks cost",
    "kpis": "Key figures: those of a real record beside what pandas computed from it",
    "breach": "Breach risk: time to resolve at arrival, with a conformal interval, beside the median per priority",
    "storms": "Storms: how soon an outage is seen among the desk's tickets, how many are, and how often for nothing",
    "cmdb": "Names of services and CIs in free text: precision and recall, and the time with 5,000 items",
    "holdout": "Held-out autofills: is the precision that they show the true one",
    "doctor": "Doctor: planted label errors and twins that are found, beside baselines",
    "drift": "Drift: silent on more of the same, and how much of something else it takes",
}


def main() -> None:
    """Write the README; a section whose benchmark has not run says so."""
    parts = [HEAD]
    for name, title in SECTIONS.items():
        path = HERE / "results" / f"{name}.md"
        body = path.read_text(encoding="utf-8").strip() if path.is_file() else f"Not run yet: `python benchmarks/{name}.py`."
        parts.append(f"## {title}\n\n{_deeper(body)}\n")
    (HERE / "README.md").write_text("\n".join(parts), encoding="utf-8")


def _deeper(body: str) -> str:
    """Return the text with its headings one level down."""
    return "\n".join(f"#{line}" if line.startswith("#") else line for line in body.splitlines())


if __name__ == "__main__":
    main()
