"""Reading: pandas is the oracle for what is there; every bad file gets its own sentence."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.data import BREAST_CANCER
from chainrule.errors import DataError
from chainrule.tables.files import arrow_files, delimited
from chainrule.tables.reading import column_names, read_batches, read_table
from chainrule.tables.table import NumberColumn, Table, TextColumn

pd = pytest.importorskip("pandas")


def words_of(table: Table, name: str) -> list[str | None]:
    column = table.column(name).as_text()
    return [None if code < 0 else column.words[code] for code in column.codes]


def numbers_of(table: Table, name: str) -> np.ndarray:
    column = table.column(name)
    assert isinstance(column, NumberColumn)
    return column.values


FRAME = pd.DataFrame(
    {
        "age": [31.5, None, 47.0, 52.25],
        "dose": [1, 2, 3, 4],
        "colour": ["red", "green", None, "red"],
        "smoker": [True, False, True, True],
        'odd "name", really': ["a,b", 'say "x"', "two\nlines", "ü"],
    }
)


@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".tsv", ".parquet"])
def test_reads_what_pandas_wrote(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"table{ending}"
    if ending == ".parquet":
        FRAME.to_parquet(path)
    else:
        FRAME.to_csv(path, index=False, sep="\t" if ending == ".tsv" else ",")
    table = read_table(path)
    assert list(table.columns) == list(FRAME.columns)
    np.testing.assert_array_equal(numbers_of(table, "age"), FRAME["age"].to_numpy())
    np.testing.assert_array_equal(numbers_of(table, "dose"), FRAME["dose"].to_numpy())
    assert words_of(table, "colour") == ["red", "green", None, "red"]
    assert words_of(table, "smoker") == ["True", "False", "True", "True"]
    assert words_of(table, FRAME.columns[-1]) == list(FRAME[FRAME.columns[-1]])


def test_parquet_categories_and_small_types(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "kind": pd.Categorical(["b", None, "a"]),
            "small": np.array([1, 2, 3], dtype=np.int8),
            "half": np.array([0.5, 1.5, 2.5], dtype=np.float32),
            "odds": pd.array([1, None, 3], dtype="Int64"),
        }
    )
    frame.to_parquet(tmp_path / "table.parquet")
    table = read_table(tmp_path / "table.parquet")
    assert words_of(table, "kind") == ["b", None, "a"]
    np.testing.assert_array_equal(numbers_of(table, "small"), [1, 2, 3])
    np.testing.assert_array_equal(numbers_of(table, "half"), [0.5, 1.5, 2.5])
    np.testing.assert_array_equal(table.column("odds").missing, [False, True, False])


def test_a_semicolon_separates_when_the_header_says_so(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("a;b\n1;2\n3;4\n")
    np.testing.assert_array_equal(numbers_of(read_table(path), "b"), [2, 4])


@given(
    rows=st.lists(
        st.tuples(
            st.floats(allow_nan=False, allow_infinity=False) | st.none(),
            st.text(st.characters(codec="utf-8", exclude_categories=["C"]), max_size=5),
        ),
        min_size=1,
        max_size=30,
    )
)
def test_numbers_keep_every_bit(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[float | None, str]]
) -> None:
    path = tmp_path_factory.mktemp("rows") / "table.csv"
    numbers = [number for number, _ in rows]
    # The prefix keeps the words from being numbers, or from meaning that nothing is there.
    frame = pd.DataFrame({"x": numbers, "word": [f"w{word}" for _, word in rows]})
    frame.to_csv(path, index=False)
    table = read_table(path)
    np.testing.assert_array_equal(numbers_of(table, "x"), np.array(numbers, dtype=np.float64))
    assert words_of(table, "word") == list(frame["word"])


def test_a_stream_is_the_whole_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delimited, "STREAM_BYTES", 4096)
    path = tmp_path / "table.csv"
    random = np.random.default_rng(5)
    frame = pd.DataFrame(
        {
            # Whole numbers first: a reader that guesses by its first block fails later.
            "x": [float(i) if i < 900 else random.random() for i in range(1000)],
            "text": [f"line {i}\nand, more" for i in range(1000)],
        }
    )
    frame.to_csv(path, index=False)
    batches = list(read_batches(path, numbers=["x"], texts=["text"]))
    assert len(batches) > 5
    streamed = np.concatenate([numbers_of(batch, "x") for batch in batches])
    np.testing.assert_array_equal(streamed, frame["x"].to_numpy())
    texts = [word for batch in batches for word in words_of(batch, "text")]
    assert texts == list(frame["text"])
    assert np.concatenate([batch.row_numbers for batch in batches]).tolist() == [*range(1, 1001)]


def test_parquet_streams_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrow_files, "BATCH_ROWS", 100)
    path = tmp_path / "table.parquet"
    pd.DataFrame({"x": np.arange(250.0), "c": ["a", "b"] * 125}).to_parquet(path)
    batches = list(read_batches(path, numbers=["x"], texts=["c"]))
    assert [batch.n_rows for batch in batches] == [100, 100, 50]
    assert words_of(batches[2], "c")[:3] == ["a", "b", "a"]


def test_numbers_may_be_taken_as_words_byte_for_byte(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("ward,x\n1,5\n2.0,6\n01,7\n 1,8\n")
    column = read_table(path, categories=["ward"]).column("ward")
    assert isinstance(column, TextColumn)
    assert [column.words[code] for code in column.codes] == ["1", "2.0", "01", " 1"]


GOOD = b"age,colour,ill\n" + b"".join(b"%d,red,no\n" % (20 + i) for i in range(40))

BAD_TEXT: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "the file is empty. A table starts with one line of column names"),
    "blank": (b"\n\n", "the file is empty"),
    "only a header": (b"a,b\n", "the file has column names and no rows"),
    "cut short in a row": (
        GOOD[:-7],
        "the file is cut short: its last row, row 40, has 2 cells where the header has 3. Fetch or "
        "write the file again",
    ),
    "cut short in a quotation": (
        GOOD + b'61,"re',
        "the file is cut short: a quotation mark opened in row 41 never closes",
    ),
    "a row too short": (
        GOOD + b"61,red\n62,red,no\n",
        "row 41 has 2 cells where the header has 3. Correct that row",
    ),
    "a row too long": (
        GOOD + b"61,red,no,no\n62,red,no\n",
        "row 41 has 4 cells where the header has 3. Correct that row",
    ),
    "a column that changes type": (
        GOOD + b"sixty,red,no\n",
        "column 'age' changes type: 40 of its rows hold numbers, but row 41 says 'sixty' (1 such "
        "row: 'sixty'). Correct them, leave the cells empty if the values are missing (--na names "
        "words that mean missing), or take the column as words: --category age.",
    ),
    "latin-1 far down": (
        GOOD * 800 + b"61,gr\xfcn,no\n",
        "is not UTF-8 text (byte 0xfc). Save the file as UTF-8, or name its encoding",
    ),
    "bytes": (bytes(range(256)) * 4, "this is not a text file"),
    "the same name twice": (b"a,b,a\n1,2,3\n", "two columns are named 'a'"),
    "a column without a name": (b"a,,b\n1,2,3\n", "column 2 has no name"),
    "dates": (
        b"day,x\n2024-01-01,1\n2024-01-02,2\n",
        "column 'day' holds dates or times. Use its year, month, weekday and days with --date day, "
        "take it as text with --category day, or leave it out with --ignore day.",
    ),
}


@pytest.mark.parametrize("case", BAD_TEXT)
def test_a_bad_text_file_is_named_with_its_place_and_the_next_action(
    tmp_path: Path, case: str
) -> None:
    content, said = BAD_TEXT[case]
    path = tmp_path / "bad.csv"
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        read_table(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert said in str(caught.value)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
def test_parquet_cut_short(tmp_path: Path, share: float) -> None:
    path = tmp_path / "cut.parquet"
    FRAME.to_parquet(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    said = "the file is empty" if share == 0 else "the Parquet file is cut short or damaged"
    with pytest.raises(DataError, match=said):
        read_table(path)


def test_text_that_is_called_parquet(tmp_path: Path) -> None:
    path = tmp_path / "wrong.parquet"
    path.write_bytes(GOOD)
    with pytest.raises(DataError, match=r"this is no Parquet file.*name it \.csv"):
        read_table(path)


def test_parquet_with_lists(tmp_path: Path) -> None:
    path = tmp_path / "lists.parquet"
    pd.DataFrame({"x": [1, 2], "more": [[1], [2]]}).to_parquet(path)
    with pytest.raises(DataError, match="column 'more' holds lists or records"):
        read_table(path)


def test_gzip_cut_short(tmp_path: Path) -> None:
    path = tmp_path / "cut.csv.gz"
    path.write_bytes(gzip.compress(GOOD)[:-12])
    with pytest.raises(DataError, match=r"cut\.csv\.gz: the compressed file is cut short"):
        read_table(path)


def test_gzip_damaged(tmp_path: Path) -> None:
    content = bytearray(gzip.compress(GOOD * 50))
    content[len(content) // 2] ^= 0xFF
    path = tmp_path / "bad.csv.gz"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"bad\.csv\.gz: .*Fetch or write it again"):
        read_table(path)


def test_the_word_none_is_a_category(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("drinks\nNone\nNA\nsome\n")
    assert words_of(read_table(path), "drinks") == ["None", None, "some"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nowhere.csv", "there is no such file"),
        ("nowhere.parquet", "there is no such file"),
        ("folder.csv", "this is a folder without a file"),
        ("folder.parquet", "this is a folder without a file"),
        ("table.xlsx", "there is no such file"),
        ("table.weird", "cannot tell what kind of file this is. chainrule reads .csv"),
    ],
)
def test_no_file_to_read(tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "folder.parquet").mkdir()
    (tmp_path / "table.weird").write_text("what is this")
    with pytest.raises(DataError) as caught:
        read_table(tmp_path / name)
    assert said in str(caught.value)
    assert name in str(caught.value)


def test_a_stream_names_the_row_that_is_no_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delimited, "STREAM_BYTES", 256)
    path = tmp_path / "late.csv"
    path.write_bytes(GOOD + b"sixty,red,no\n")
    with pytest.raises(DataError, match="column 'age' holds numbers, but row 41 says 'sixty'"):
        list(read_batches(path, numbers=["age"], texts=["colour"]))


def test_a_stream_names_text_in_parquet(tmp_path: Path) -> None:
    path = tmp_path / "text.parquet"
    pd.DataFrame({"age": [None, "old"]}).to_parquet(path)
    with pytest.raises(DataError, match="column 'age' holds numbers, but row 2 says 'old'"):
        list(read_batches(path, numbers=["age"], texts=[]))


def test_a_missing_column_offers_the_nearest() -> None:
    with pytest.raises(
        DataError, match=r"no column is named 'Diagnosis'. Did you mean 'diagnosis'"
    ):
        read_table(BREAST_CANCER, ignore=["Diagnosis"])


def test_the_shipped_data_is_the_copy_of_scikit_learn() -> None:
    from sklearn.datasets import load_breast_cancer

    data = load_breast_cancer()
    table = read_table(BREAST_CANCER)
    names = column_names(BREAST_CANCER)[1:]
    np.testing.assert_array_equal(
        np.column_stack([numbers_of(table, name) for name in names]), data.data
    )
    assert words_of(table, "diagnosis") == [data.target_names[k] for k in data.target]
    theirs = [str(name).replace(" error", "").split(" ")[-1] for name in data.feature_names]
    assert [name.split("_")[-1] for name in names] == theirs
