"""report.html in a real browser. Skipped where no Chromium is installed."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from report.chromium import BINARY, Page
from report.pages import HOSTILE
from runs import group, make_run, write_groups
from srpo.report.run.page import write_page

pytestmark = pytest.mark.skipif(BINARY is None, reason="no Chromium is installed")

# Each text's contrast against the nearest background that is not transparent.
CONTRASTS = """(() => {
    const linear = v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    const light = c => [0.2126, 0.7152, 0.0722].reduce((s, w, i) => s + w * linear(c[i] / 255), 0);
    const numbers = color => color.match(/[0-9.]+/g).map(Number);
    const solid = color => color.length === 3 || color[3] > 0;
    const behind = e => {
        const color = numbers(getComputedStyle(e).backgroundColor);
        return solid(color) ? color : behind(e.parentElement);
    };
    const texts = "p, h1, h2, h3, li, td, th, label, summary, a, dd, dt, text, button";
    return [...document.querySelectorAll(texts)].map(e => {
        const style = getComputedStyle(e);
        const ink = light(numbers(e.tagName === "text" ? style.fill : style.color));
        const back = light(behind(e));
        return (Math.max(ink, back) + 0.05) / (Math.min(ink, back) + 0.05);
    });
})()"""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    run = make_run(tmp_path_factory.mktemp("report"), steps=40, stage2_at=20)
    groups = [
        group(f"m{n}", "cii" if n % 2 else "ccc", step=n + 1, epoch=n // 20) for n in range(38)
    ]
    groups.append(group("c39", "iie", step=39, domain="code", epoch=1))
    groups.append(group("hostile", "c", step=40, domain="code", epoch=1, prompt="".join(HOSTILE)))
    groups[-1]["rollouts"][0] |= {"text": "\n".join(HOSTILE), "answer": HOSTILE[0]}
    groups[-1]["rollouts"][0]["detail"] = HOSTILE[1]
    write_groups(run, groups)
    return write_page(run).as_uri()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    page = Page(tmp_path_factory.mktemp("chromium"))
    yield page
    page.close()


@pytest.fixture
def page(browser: Page, url: str) -> Iterator[Page]:
    """The page, fresh; whatever a test does, the console stays silent and the network unused."""
    browser.messages.clear()
    browser.requests.clear()
    browser.open(url)
    browser.run("ready")
    yield browser
    assert browser.messages == []
    assert browser.requests == [url]


def select(page: Page, **values: str) -> list[str]:
    """Fill filters in as a person would; the ids of the groups shown on all pages."""
    page.run(
        f"""(() => {{
        const form = document.getElementById("filters");
        form.reset();
        for (const [name, value] of Object.entries({json.dumps(values)}))
            form.elements[name].value = value;
        form.dispatchEvent(new Event("input", {{bubbles: true}}));
        }})()"""
    )
    ids: list[str] = []
    while True:
        ids += page.run('[...document.querySelectorAll(".group strong")].map(e => e.textContent)')
        if not page.run(
            "(b => !b.disabled && (b.click(), true))(document.querySelector('[name=next]'))"
        ):
            return ids


def test_filters(page: Page):
    assert len(select(page)) == 40
    assert select(page, outcome="error") == ["c39"]
    assert select(page, domain="code") == ["hostile", "c39"]
    assert select(page, domain="code", order="oldest") == ["c39", "hostile"]
    assert select(page, group="mixed") == [f"m{n}" for n in range(37, 0, -2)]
    assert select(page, group="wrong") == ["c39"]
    assert select(page, group="right", domain="math") == [f"m{n}" for n in range(36, -1, -2)]
    assert select(page, epoch="stage1 1", domain="math") == [f"m{n}" for n in range(37, 19, -1)]
    assert select(page, **{"from": "5", "to": "7"}) == ["m6", "m5", "m4"]
    assert select(page, id="M3") == [f"m{n}" for n in (*range(37, 29, -1), 3)]
    assert select(page, text="QUESTION m12") == ["m12"]
    assert select(page, text="answer 1 of m9") == ["m9"]
    assert select(page, text="nowhere") == []
    assert page.run("document.getElementById('count').textContent") == "No group matches."


def test_hostile_texts_stay_texts(page: Page):
    select(page, id="hostile")
    before = page.run("document.querySelectorAll('script, img, svg, a').length")
    page.run("document.querySelector('.group').open = true")
    page.run("new Promise(done => setTimeout(done, 50))")
    texts = page.run('[...document.querySelectorAll(".group pre")].map(e => e.textContent)')
    assert len(texts) == 2
    for text in texts:
        for harmless in (0, 1, 2, 3, 4, 8, 9):
            assert HOSTILE[harmless] in text
        assert "\\u202egnp.exe\\u2066" in text
        assert "\\x1b]0;title\\x07 \\x00 \\x7f" in text
        assert "\\u2028\\ud800" in text
    assert page.run("document.querySelectorAll('script, img, svg, a').length") == before
    others = ".group *:not(pre, p, div, span, small, strong, i, summary)"
    assert page.run(f"document.querySelectorAll('{others}').length") == 0


def test_a_charts_values_can_be_read_by_key(page: Page):
    page.run("document.querySelector('#chart-accuracy .plot').focus()")
    page.key("End")
    cells = "#chart-accuracy tbody tr:last-child *"
    last = page.run(f"[...document.querySelectorAll('{cells}')].map(e => e.textContent)")
    assert page.run("document.getElementById('tip').textContent").splitlines() == [
        f"step {last[0]}",
        f"math: {last[1]}",
        f"code: {last[2]}",
    ]
    page.key("ArrowLeft")
    assert page.run("document.getElementById('tip').textContent").startswith("step 39\n")
    page.key("Enter")
    page.run("new Promise(done => setTimeout(done, 50))")
    assert page.run('[...document.querySelectorAll(".group strong")].map(e => e.textContent)') == [
        "c39"
    ]
    assert page.run("document.getElementById('tip').hidden")


def test_pointing_at_a_chart_shows_the_values_there(page: Page):
    page.run("document.querySelector('#chart-length').scrollIntoView({behavior: 'instant'})")
    box = page.run(
        "(b => ({x: b.x, y: b.y, w: b.width, h: b.height}))"
        "(document.querySelector('#chart-length svg').getBoundingClientRect())"
    )
    x = box["x"] + box["w"] * (46 + (440 - 46 - 12) * 10 / 40) / 440  # margins of svg.py
    y = box["y"] + box["h"] / 2
    page.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
    assert page.run("document.getElementById('tip').textContent").startswith("step 10\n")
    page.call("Input.dispatchMouseEvent", type="mouseMoved", x=1, y=1)
    assert page.run("document.getElementById('tip').hidden")


@pytest.mark.parametrize("width", [320, 360, 768, 1600])
def test_no_width_needs_sideways_scrolling(browser: Page, url: str, width: int):
    browser.open(url, width=width)
    browser.run("ready")
    browser.run("document.querySelectorAll('details').forEach(d => { d.open = true })")
    assert browser.run("document.documentElement.scrollWidth") <= width


def test_light_and_dark_are_readable(browser: Page, url: str):
    """Text against its background: a contrast of at least 4.5, as WCAG AA asks."""
    for dark in (False, True):
        browser.open(url, dark=dark)
        browser.run("ready")
        contrasts = browser.run(CONTRASTS)
        assert len(contrasts) > 100
        assert min(contrasts) >= 4.5
