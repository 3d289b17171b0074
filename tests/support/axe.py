"""What axe finds on a page: its script, as a package carries it, run in the page itself."""

from axe_playwright_python.base import AXE_SCRIPT
from support.browser import Page

_RUN = """axe.run(document, {resultTypes: ['violations']}).then(found => found.violations.flatMap(
  each => each.nodes.map(node => [each.impact, each.id + ': ' + node.html.slice(0, 200) + ' '
    + node.failureSummary.slice(0, 300)])))"""


def axe_faults(page: Page) -> list[str]:
    """Return the violations of a page, whatever their impact, folded parts opened."""
    page.run("document.querySelectorAll('details').forEach(each => { each.open = true; })")
    page.run(f"{AXE_SCRIPT}; 0")
    return [f"{impact}: {said}" for impact, said in page.run(_RUN)]
