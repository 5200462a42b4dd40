"""Fields become a table of their own: what was counted in each, and the scale that it was read at."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TextIO

from blood_lib.inference.results import FieldReading, Result
from blood_lib.tables.cells import harmless, write_row

__all__ = ["list_field_columns", "pass_fields", "write_fields"]


def pass_fields(results: Iterable[Result], fields: list[FieldReading]) -> Iterator[Result]:
    """The results as they come; their fields are appended to `fields`, each once."""
    for result in results:
        if result.field is not None and (not fields or fields[-1] is not result.field):
            fields.append(result.field)
        yield result


def list_field_columns(class_names: Sequence[str]) -> list[str]:
    """class_names: of what the detector finds."""
    scale = ("red_cell_px", "ruler_spread", "ruler_cells", "um_per_pixel", "scale")
    return ["file", "width", "height", *class_names, "cut", *scale]


def write_fields(
    fields: Iterable[FieldReading], class_names: Sequence[str], file: TextIO, *, where: str = "the table"
) -> None:
    """Write a row per field: its size, whole cells by class, cells that the edge cuts, ruler and scale."""
    write_row(list_field_columns(class_names), file, where)
    for field in fields:
        write_row(_to_row(field, class_names), file, where)


def _to_row(field: FieldReading, class_names: Sequence[str]) -> list[str]:
    counts, ruler, scale = field.counts, field.found.ruler, field.scale
    texts = [harmless(field.name), *map(str, field.found.size)]
    texts += [str(counts.get(name, 0)) for name in class_names] + [str(field.n_cut)]
    texts += ["" if scale.diameter is None else f"{scale.diameter:.1f}"]
    texts += ["", "0"] if ruler is None else [f"{ruler.spread:.1f}", str(ruler.n_cells)]
    texts += ["" if scale.um_per_pixel is None else f"{scale.um_per_pixel:.4f}"]
    return [*texts, scale.source]
