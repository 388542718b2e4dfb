"""What stands on the pages of a PDF, for tests."""

import ctypes

import numpy as np
import pypdfium2
import pypdfium2.raw as pdfium
from numpy.typing import NDArray


def texts_of(pdf: bytes) -> list[str]:
    """The text of each page, with single spaces."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        texts = []
        for page in document:
            text = page.get_textpage()
            texts.append(" ".join(text.get_text_range().split()))
            text.close()
            page.close()
        return texts
    finally:
        document.close()


def smallest_letters_pt(pdf: bytes) -> float:
    """Height of the smallest font on all pages as it is printed [pt]."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        sizes = []
        for page in document:
            for found in page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_TEXT], max_depth=15):
                size = ctypes.c_float()
                pdfium.FPDFTextObj_GetFontSize(found, size)
                matrix = found.get_matrix()
                sizes.append(size.value * abs(matrix.a * matrix.d - matrix.b * matrix.c) ** 0.5)
            page.close()
        return min(sizes)
    finally:
        document.close()


def pictures_of(pdf: bytes, *, scale: float = 1.0) -> list[NDArray[np.int64]]:
    """The pages as they look, (y, x, 3) each."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        pictures = []
        for page in document:
            drawn = page.render(scale=scale, rev_byteorder=True).to_numpy()
            pictures.append(drawn[..., :3].astype(np.int64))
            page.close()
        return pictures
    finally:
        document.close()
