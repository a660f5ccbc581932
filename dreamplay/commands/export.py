"""`dreamplay export`: what Dreamplay holds, as others read it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro


@dataclass(frozen=True)
class Export:
    """Write a data folder as a Minari dataset or as plain .npz files, without loss, or a run as an ONNX model.

    Data come back with dreamplay import, every array equal. The model is one step of the dream.
    """

    source: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="DATA|RUN")]
    """Data folder to export; with --onnx a run folder or the name of a shipped dream."""

    to: Literal["minari", "npz"] = "minari"
    """minari, a dataset for the package of that name, uncompressed; npz, a compressed file for each episode."""

    out: Path | None = None
    """Folder to make; exports/<data>-v0 by default. Minari takes its name as the dataset's id, which ends in a version
    such as -v0."""

    onnx: Path | None = None
    """File (.onnx) to write the step of a run to, checked by running it."""

    sampled: bool = False
    """onnx: chance decides, by uniforms and a temperature that the model then takes; else the most likely does."""

    seed: int = 0
    """onnx: seed of the actions in the check."""

    json: Path | None = None
    """File to write the summary to."""

    def run(self) -> dict[str, Any]:
        """Export; returns {"folder", "to", "episodes", "steps"}, of a run {"file", "inputs", "outputs", "steps"}."""
        from dreamplay.errors import UserError
        from dreamplay.shipped import find_run

        if self.onnx is not None:
            return self._model(self.onnx)
        if self.sampled:
            raise UserError("--sampled is for a run; name the file to write with --onnx")
        if (find_run(self.source) / "checkpoint.json").is_file():
            raise UserError(f"{self.source} is a run; name the data folder it was trained on, or a file with --onnx")
        return self._data()

    def _model(self, file: Path) -> dict[str, Any]:
        from dreamplay.errors import UserError
        from dreamplay.onnx_file import write_checked

        if self.out is not None or self.to != "minari":
            raise UserError("--out and --to are for data; a run is written to the file of --onnx")
        if file.suffix != ".onnx":
            raise UserError(f"--onnx {file} is no model name; let it end in .onnx")
        if file.exists():
            raise UserError(f"--onnx {file} exists already; name a new file, nothing is overwritten")
        if not file.parent.is_dir():
            raise UserError(f"--onnx {file}: there is no folder {file.parent}; make it first")
        if (self.source / "data.json").is_file():
            raise UserError(f"{self.source} is a data folder; name a run, or leave out --onnx")
        written = write_checked(self.source, file, sampled=self.sampled, seed=self.seed)
        print(f"{file}: {written['steps']} steps as PyTorch takes them; inputs:")
        print("\n".join(f"  {name} {kind}" for name, kind in written["inputs"].items()))
        print("outputs:\n" + "\n".join(f"  {name} {kind}" for name, kind in written["outputs"].items()))
        return {"file": str(file), **written}

    def _data(self) -> dict[str, Any]:
        from dreamplay.episodes import Episodes
        from dreamplay.errors import UserError
        from dreamplay.folders import claim
        from dreamplay.progress import progress

        episodes = Episodes.open(self.source)
        folder = self.out or Path("exports") / f"{self.source.resolve().name}-v0"
        if self.to == "minari":
            import re

            from dreamplay.exchange.minari_dataset import check_installed
            from dreamplay.exchange.minari_dataset import write_minari as write

            check_installed()
            if not re.fullmatch(r"[\w-]+-v\d+", folder.name):
                raise UserError(f"--out {folder} names no Minari dataset: end it in a version, as in {folder.name}-v0")
        else:
            from dreamplay.exchange.npz_folder import write_npz as write
        claim(folder)
        with progress(f"export {self.source}", len(episodes), "episodes") as bar:
            for _ in write(episodes, folder):
                bar.advance()
        print(f"{len(episodes)} episodes, {episodes.steps} steps in {folder}\n{self._opening(folder)}")
        return {"folder": str(folder), "to": self.to, "episodes": len(episodes), "steps": episodes.steps}

    def _opening(self, folder: Path) -> str:
        if self.to == "minari":
            return f"open it: MINARI_DATASETS_PATH={folder.resolve().parent} and minari.load_dataset({folder.name!r})"
        return f"open one: numpy.load({str(folder / 'episode-00000.npz')!r})"
