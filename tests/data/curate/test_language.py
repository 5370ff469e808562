# ruff: noqa: RUF001

from __future__ import annotations

import pytest

from srpo.data.curate.language import language_of


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Find $x$ if $2x = 4$.", "en"),
        ("$x^2$", "en"),
        ("", "en"),
        ("已知 $x+y=3$，求 $x^2+y^2$ 的最小值。", "zh"),
        ("次の方程式を解きなさい: $x^2=4$", "ja"),
        ("방정식 $x^2=4$ 를 푸시오.", "ko"),
        ("Найдите все решения уравнения $x^2=4$ и докажите, что других нет.", "ru"),
        (
            "Sea $n$ un número entero tal que la suma de sus cifras es igual a 10. ¿Cuántos números"
            " de este tipo hay entre 1 y 1000?",
            "es",
        ),
        (
            "Soit $n$ un entier tel que la somme de ses chiffres est égale à 10. Combien de tels"
            " nombres y a-t-il entre 1 et 1000, et quelle est leur somme pour les plus grands?",
            "fr",
        ),
        # names and variables are no language
        ("Juan de la Cruz and Maria di Napoli each have $la$ and $de$ marbles.", "en"),
        ("Let α, β and γ be the angles of the triangle ABC with α + β = 2γ; find γ.", "en"),
        (
            "A sign reads 出口; how many strokes does the first character have, as people count?",
            "en",
        ),
    ],
)
def test_language(text: str, language: str):
    assert language_of(text) == language
