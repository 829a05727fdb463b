"""How fast is the graph that ships? The same weights as commonly exported, for one text at a time, and with ONNX Runtime's fused attention.

    python benchmarks/graph_fusion.py --weights WHEEL_OR_FOLDER [--runs 150]

--weights is all-MiniLM-L6-v2, whose shape the shipped encoders have. Each kind is run in turn on one thread, so that a busy machine slows all
alike; the ratio is the median of the ratios of runs next to each other. Writes benchmarks/results/graph_fusion.json and .md. Needs the `train` extra.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnxruntime
from onnx import TensorProto
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.transformers import optimizer
from onnxruntime.transformers.fusion_options import FusionOptions

from latency import TOKENS
from report import write_results
from smarttriage.adapters.encoders.onnx import feed

ROOT = Path(__file__).resolve().parent.parent
HEADS, WIDTH = 12, 384
WARM = 10
PLAIN = "as commonly exported"
sys.path.insert(0, str(ROOT / "training"))


def fused(fp32: Path, folder: Path, *, multi_head: bool) -> Path:
    """Return the fp32 graph with attention, biases and norms fused."""
    options = FusionOptions("bert")
    options.use_multi_head_attention = multi_head
    model = optimizer.optimize_model(
        str(fp32), model_type="bert", num_heads=HEADS, hidden_size=WIDTH, optimization_options=options, opt_level=0
    )
    path = folder / f"fused_{multi_head}.onnx"
    model.save_model_to_file(str(path))
    return path


def quantised(fp32: Path) -> onnxruntime.InferenceSession:
    """Return the int8 model on one thread, quantised as training/export_encoder.py does."""
    int8 = fp32.with_suffix(".int8.onnx")
    # The type of what fused nodes say cannot be inferred; all of it is float.
    extra = {"DefaultTensorType": TensorProto.FLOAT}
    quantize_dynamic(fp32, int8, weight_type=QuantType.QInt8, per_channel=True, reduce_range=True, extra_options=extra)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(str(int8), options, providers=["CPUExecutionProvider"])


def measured(sessions: Mapping[str, onnxruntime.InferenceSession], n_tokens: int, runs: int) -> dict[str, dict[str, float]]:
    """Return p50 in ms and the ratio to the plain graph."""
    ids = np.random.default_rng(0).integers(1_000, 20_000, (1, n_tokens))
    spent: dict[str, list[float]] = {name: [] for name in sessions}
    for at in range(WARM + runs):
        for name, session in sessions.items():
            started = time.perf_counter()
            session.run(None, feed(session, ids))
            if at >= WARM:
                spent[name].append((time.perf_counter() - started) * 1_000)
    base = np.array(spent[PLAIN])
    return {
        name: {"p50_ms": float(np.median(each)), "ratio": float(np.median(np.array(each) / base))} for name, each in spent.items()
    }


def main() -> None:
    """Export, fuse, run, write."""
    import export_encoder  # noqa: PLC0415 - torch and transformers

    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--weights", type=Path, required=True)
    options.add_argument("--runs", type=int, default=150)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        plain, one_text = folder / "plain.onnx", folder / "one_text.onnx"
        source = export_encoder.find_source(given.weights, folder).folder
        export_encoder.export_fp32(source, plain)
        export_encoder.export_one_text(source, one_text)
        sessions = {
            PLAIN: quantised(plain),
            "one text at a time, as shipped": quantised(one_text),
            "attention fused": quantised(fused(plain, folder, multi_head=False)),
            "multi-head attention fused": quantised(fused(plain, folder, multi_head=True)),
        }
        result = {n: measured(sessions, n, given.runs) for n in TOKENS}
    lines = [
        f"| int8, one thread | {' | '.join(f'{n} tokens, ms p50 | ratio' for n in TOKENS)} |",
        f"|---|{'---|' * (2 * len(TOKENS))}",
    ]
    for name in sessions:
        cells = " | ".join(f"{result[n][name]['p50_ms']:.2f} | {result[n][name]['ratio']:.2f}" for n in TOKENS)
        lines.append(f"| {name} | {cells} |")
    write_results("graph_fusion", result, "\n".join(lines))


if __name__ == "__main__":
    main()
