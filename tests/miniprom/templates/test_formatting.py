"""Printing. Expected values: the documentation of Go's fmt."""

import pytest

from tests.miniprom.templates.support import expanded


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("1.0", "1"),
        ("0.1", "0.1"),
        ("100000.0", "100000"),
        ("1000000.0", "1e+06"),
        ("1234567.5", "1.2345675e+06"),
        ("0.0001", "0.0001"),
        ("0.00001", "1e-05"),
        ("-0.5", "-0.5"),
        ("1e100", "1e+100"),
    ],
)
def test_floats_print_as_go_prints_them(number: str, text: str) -> None:
    assert expanded(f"{{{{ {number} }}}}") == text


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ('"%d" 42', "42"),
        ('"%5d|%-5d|%05d|%+d" 42 42 42 42', "   42|42   |00042|+42"),
        ('"%x %X %#x %o %b %c %U" 255 255 255 8 5 65 65', "ff FF 0xff 10 101 A U+0041"),
        ('"%.2f" 3.14159', "3.14"),
        ('"%8.3f|%-8.1f|%08.2f" 3.14159 2.5 -1.5', "   3.142|2.5     |-0001.50"),
        ('"%e %g %G" 123456.789 1e-7 1e21', "1.234568e+05 1e-07 1E+21"),
        ('"%.3g" 1234.5', "1.23e+03"),
        ('"%s %q %v" "a" "b\\"" "c"', 'a "b\\"" c'),
        ('"%5s|%-5s|%.2s" "ab" "ab" "abcd"', "   ab|ab   |ab"),
        ('"%x" "hi"', "6869"),
        ('"%t %v" true false', "true false"),
        ('"%T %T %T %T" 1 1.5 "a" true', "int float64 string bool"),
        ('"%d%%" 5', "5%"),
        ('"%*d" 5 42', "   42"),
        ('"%[2]s %[1]s" "a" "b"', "b a"),
        ('"%d" "hi"', "%!d(string=hi)"),
        ('"%s" 5', "%!s(int=5)"),
        ('"%d" 1.5', "%!d(float64=1.5)"),
        ('"%d %d" 1', "1 %!d(MISSING)"),
        ('"%d" 1 "x" 2.5', "1%!(EXTRA string=x, float64=2.5)"),
        ('"%!" 1', "%!!(int=1)"),
        ('"100%"', "100%!(NOVERB)"),
        ('"%z" 3', "%!z(int=3)"),
        ('"%v" $labels', "map[a:b]"),
        ('"%s" nil', "%!s(<nil>)"),
    ],
)
def test_printf(arguments: str, text: str) -> None:
    assert expanded(f"{{{{ printf {arguments} }}}}", labels={"a": "b"}) == text


def test_infinities_are_not_padded_with_zeros() -> None:
    assert expanded('{{ printf "%06.1f|%f" $value $value }}', value=float("inf")) == "  +Inf|+Inf"
    assert expanded('{{ printf "%f" $value }}', value=float("nan")) == "NaN"
