"""Language and theme in a real browser: as the visitor's own at first, then as chosen, and remembered."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.tools.browser_tools import BROWSER, SCREENS, SHOWN, Visit, settle, until
from tests.tools.serving import Running

pytestmark = BROWSER

ENGLISH = {"the", "is", "are", "with", "your", "click", "upload", "what", "this", "not"}
GROUND = "getComputedStyle(document.querySelector('.dash-app')).backgroundColor"
FIRST_GROUND = "getComputedStyle(document.body).backgroundColor"
IS_DARK = "Math.max(...{}.match(/\\d+/g).slice(0, 3).map(Number)) < 60"


@pytest.mark.parametrize("screen", SCREENS)
def test_the_page_speaks_the_browsers_language_until_another_is_chosen(
    browser, server: Running, cells: list[Path], screen: str
) -> None:
    visit = Visit(browser, server, locale="es-MX", **SCREENS[screen])
    page = visit.page
    page.get_by_role("tab", name="Cargar").wait_for()
    until(page, "document.documentElement.lang === 'es'")
    visit.upload(cells[:3])
    visit.open("Clasificación")
    until(page, "document.querySelectorAll('.dash-card').length === 3")
    card = page.locator(".dash-card").first
    assert re.search(", (segura|dudosa|desconocida)$", card.get_attribute("aria-label"))  # it is one
    card.click()
    page.locator(".dash-panel-classification .dash-viewer .dash-name").wait_for()
    for tab in page.get_by_role("tab").all():
        tab.click()
        settle(page)
        assert not ENGLISH & set(re.findall("[a-z]+", page.evaluate(SHOWN)))
    page.keyboard.press("Escape")
    visit.open("Clasificación")
    page.get_by_label("Idioma").select_option("en")
    page.get_by_role("tab", name="Classification", selected=True).wait_for()  # the tab stays
    until(page, "document.querySelectorAll('.dash-card').length === 3")  # and so do the cells
    until(page, "document.activeElement.value === 'en'")
    until(page, "document.documentElement.lang === 'en'")
    visit.reload()
    page.get_by_role("tab", name="Upload").wait_for()
    page.wait_for_selector(".dash-preparing", state="hidden")
    visit.close()


@pytest.mark.parametrize("screen", SCREENS)
def test_the_theme_is_the_systems_until_another_is_chosen(browser, server: Running, screen: str) -> None:
    visit = Visit(browser, server, color_scheme="light", **SCREENS[screen])
    page = visit.page
    until(page, f"!({IS_DARK.format(GROUND)})")
    page.emulate_media(color_scheme="dark")
    until(page, IS_DARK.format(GROUND))
    page.get_by_label("Brightness").select_option("light")
    until(page, f"!({IS_DARK.format(GROUND)})")
    page.get_by_label("Brightness").select_option("dark")
    page.emulate_media(color_scheme="light")
    visit.reload()
    page.wait_for_selector("#loading")
    assert page.evaluate(IS_DARK.format(FIRST_GROUND))  # before the app is there: nothing flashes
    page.wait_for_selector(".dash-drop")
    page.wait_for_selector(".dash-preparing", state="hidden")
    until(page, IS_DARK.format(GROUND))
    visit.close()
