"""`fit_stream` and `predict_stream`: rows that are too many for memory."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from chainrule.errors import DataError

if TYPE_CHECKING:
    from chainrule.engine.data.streams import StoredStream, Stream


class FromStream:
    """Gives an estimator with `fit` and `predict` the same for rows that arrive in batches."""

    fit: Callable[..., Any]
    get_params: Callable[..., dict[str, Any]]

    def fit_stream(self, stream: Stream, *, resume: str | Path | None = None) -> Self:
        """Fit to rows that are too many for memory.

        The rows are read once and converted to files, from which every pass reads them block by
        block. Coefficients and certificate have the bits of a fit to the same rows in memory, in C
        order: float32 where all columns are, else float64; text columns as categories.

        In memory are one number per row for each of target, weights and offset, and for the
        scores where a proof takes them.

        Parameters
        ----------
        stream : Stream
            Rows, and the names of target, weights and offset.
        resume : str or Path, optional
            A folder for the converted rows and the results of passes. It is removed after the fit.
            A fit that is stopped, by Ctrl-C, an error or a power cut, leaves it, and the same call
            goes on from there, to the bits of a fit that was never stopped. Files that were changed
            since are refused.

        Returns
        -------
        LinearEstimator
            Itself.

        Raises
        ------
        DataError
            When the rows hold a value that cannot be used; the message names row and column.

        Examples
        --------
        >>> import numpy as np
        >>> from chainrule import LogisticRegression, Stream
        >>> def batches():
        ...     for _ in range(5):
        ...         yield {"x": np.arange(4.0), "bought": np.array([0, 1, 0, 1])}
        >>> LogisticRegression().fit_stream(Stream(batches, target="bought")).coef_.round(2)
        array([[0.74]])
        """
        with np.printoptions(threshold=sys.maxsize, floatmode="unique"):
            choices = f"{type(self).__qualname__} {sorted(self.get_params().items())}"
        with stream.stored(resume) as rows, rows.kept_passes(choices):
            self._fit_stored(rows)
        return self

    def _fit_stored(self, rows: StoredStream) -> None:
        """Fit to the rows of a stream."""
        if rows.labels is not None:
            raise DataError("the target holds text, and this estimator takes numbers")
        self.fit(rows.X, rows.y, rows.weights, rows.offset)

    def predict_stream(
        self,
        batches: Callable[[], Iterable[Any]] | Iterable[Any],
        out: str | Path,
        *,
        offset: str | None = None,
    ) -> int:
        """Write predictions for rows that are too many for memory, as Parquet.

        A row has its prediction and, of classes, the probability of each. The bits are those of
        `predict` and `predict_proba` for the same batch.

        Parameters
        ----------
        batches : callable or iterable
            Record batches or tables of pyarrow, data frames, or mappings from names to arrays; or
            a function that begins them, such as the attribute `batches` of a `Stream`.
        out : str or Path
            The file; it appears when it is complete.
        offset : str, optional
            The column of offsets, if the fit had one.

        Returns
        -------
        int
            The number of rows.

        Raises
        ------
        DataError
            When columns of the fit have no names, a batch lacks one, or there are no rows.

        Examples
        --------
        >>> import tempfile
        >>> from pathlib import Path
        >>> import pyarrow.parquet as pq
        >>> from chainrule import LogisticRegression, Stream
        >>> folder = Path(tempfile.mkdtemp())
        >>> def batches():
        ...     for _ in range(5):
        ...         yield {"x": [0.0, 1.0, 2.0, 3.0], "bought": ["no", "yes", "no", "yes"]}
        >>> model = LogisticRegression().fit_stream(Stream(batches, target="bought"))
        >>> model.predict_stream(batches, folder / "predicted.parquet")
        20
        >>> pq.read_table(folder / "predicted.parquet").column_names
        ['prediction', 'probability_no', 'probability_yes']
        """
        from chainrule.estimators.written_predictions import write_predictions

        check_is_fitted(self)
        return write_predictions(self, batches, out, offset=offset)
