#!/usr/bin/env python3
"""Writes the small PyTorch programs of src/inspect/testdata/torch, with the PyTorch and torchvision installed here.

    make_torch_models.py FOLDER [--wide]

script.pt and mobile.ptl: an honest module of TorchScript and its mobile form; script-files.pt: one that opens files.
export.pt2: an honest torch.export program with sizes that vary and torch.cond; export-older.pt2: the same
values in the layout of PyTorch 2.1 to 2.7, as its serde wrote it. With --wide also models of torchvision, which must be
found clean and are too large to keep.
"""
import io
import pathlib
import sys
import warnings
import zipfile
from typing import Dict, List, Optional, Tuple

import torch
import torchvision

warnings.filterwarnings("ignore")
OUT = pathlib.Path(sys.argv[1])
OUT.mkdir(parents=True, exist_ok=True)
torch.manual_seed(0)


class Honest(torch.nn.Module):
    scale: torch.jit.Final[float] = 2.0

    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(4, 3)
        self.table: Dict[str, int] = {"a": 1}

    def forward(self, x: torch.Tensor, n: Optional[int] = None) -> Tuple[torch.Tensor, List[int]]:
        y = self.linear(x)
        sizes: List[int] = []
        i = 0
        while i < 3:
            i += 1
            if i == 2:
                sizes.append(y.size(0))
        if n is not None:
            y = y * n
        assert y.dim() > 1, "two dimensions"
        if y.sum().item() > 1e30:
            raise ValueError("{} is too large".format(i))
        for k in self.table.keys():
            sizes.append(self.table[k])
        return torch.nn.functional.softmax(y * self.scale, dim=-1), sizes


class Files(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> Tuple[torch.Tensor, torch.Tensor]:
        torch.save(x, "/tmp/written")
        y = torch.from_file("/etc/hostname", False, 10, dtype=torch.uint8)
        return torch.ops.image.read_file("/etc/hostname"), y


class Exported(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(4, 3)
        self.offset = torch.ones(3)

    def forward(self, x, named):
        y = torch.cat([self.linear(x), self.linear(named["k"])]) + self.offset
        positive = torch.nonzero(y.sum(1) > 0)
        return torch.cond(x.sum() > 0, lambda a: a + 1, lambda a: a - 1, (y,)), torch.zeros(x.shape[0] // 2 + 1), positive


def without_paths(name):
    """Writes the archive anew with PyTorch's writer, the folders of this machine in its records blotted out."""
    folders = {str(pathlib.Path(torch.__file__).parents[1]), str(pathlib.Path(__file__).resolve().parent),
               str(pathlib.Path(sys.argv[0]).parent)} - {".", ""}
    reader = torch._C.PyTorchFileReader(str(OUT / name))
    records = {record: bytes(reader.get_record(record)) for record in reader.get_all_records()}
    writer = torch._C.PyTorchFileWriter(str(OUT / name))
    for record, data in records.items():
        for folder in sorted(folders, key=len, reverse=True):
            data = data.replace(folder.encode(), b"_" * len(folder))
        if record not in ("version", ".data/version", ".data/serialization_id"):
            writer.write_record(record, data, len(data))
    writer.write_end_of_file()


def scripts():
    honest = torch.jit.script(Honest())
    honest.save(str(OUT / "script.pt"), _extra_files={"labels.txt": "one\ntwo\n"})
    honest._save_for_lite_interpreter(str(OUT / "mobile.ptl"))
    torch.jit.script(Files()).save(str(OUT / "script-files.pt"))
    for name in ("script.pt", "mobile.ptl", "script-files.pt"):
        without_paths(name)


def programs():
    half = torch.export.Dim("half", min=1, max=32)
    rows = {0: 2 * half}
    program = torch.export.export(Exported(), (torch.zeros(4, 4), {"k": torch.zeros(4, 4)}), dynamic_shapes=(rows, {"k": rows}))
    torch.export.save(program, OUT / "export.pt2", extra_files={"labels.txt": "one\ntwo\n"})
    without_paths("export.pt2")

    def saved(value):
        buffer = io.BytesIO()
        torch.save(value, buffer)
        return buffer.getvalue()

    with zipfile.ZipFile(OUT / "export.pt2") as new, zipfile.ZipFile(OUT / "export-older.pt2", "w") as older:
        older.writestr("version", "8.8")
        older.writestr("serialized_exported_program.json", new.read("export/models/model.json"))
        older.writestr("serialized_state_dict.pt", saved(dict(program.state_dict)))
        older.writestr("serialized_constants.pt", saved(dict(program.constants)))
        older.writestr("serialized_example_inputs.pt", saved(program.example_inputs))
        older.writestr("extra_files/labels.txt", "one\ntwo\n")


def wide():
    for name in ("resnet18", "mobilenet_v3_small", "squeezenet1_0", "swin_t"):
        model = getattr(torchvision.models, name)(weights=None).eval()
        example = torch.zeros(1, 3, 224, 224)
        torch.jit.script(model).save(str(OUT / f"{name}-script.pt"))
        torch.jit.freeze(torch.jit.script(model)).save(str(OUT / f"{name}-frozen.pt"))
        torch.jit.trace(model, example, check_trace=False).save(str(OUT / f"{name}-trace.pt"))
        torch.export.save(torch.export.export(model, (example,)), OUT / f"{name}.pt2")
    detector = torchvision.models.detection.fasterrcnn_mobilenet_v3_large_320_fpn(weights=None, weights_backbone=None)
    torch.jit.script(detector.eval()).save(str(OUT / "detector-script.pt"))
    quantized = torchvision.models.quantization.mobilenet_v2(weights=None, quantize=True).eval()
    torch.jit.script(quantized).save(str(OUT / "quantized-script.pt"))


scripts()
programs()
if "--wide" in sys.argv[2:]:
    wide()
