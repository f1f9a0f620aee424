#!/usr/bin/env python3
"""page_test.py BITLAB RESULTS PICTURES: report.html in a real browser, with real clicks. RESULTS is an experiment's folder
with two arms; pictures of the page at several sizes land in PICTURES, to be looked at. Exit code 77: no Chromium here."""

import base64
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

from browser import Browser, is_installed

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)> \"'&amp; {{data}} \u2028 ünï"
OVER = "//div[contains(@class, 'u-over')]"


def sample(results):
    """A copy of an experiment with its report."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="bitlab-page-"))
    copy = folder / "experiment"
    shutil.copytree(results, copy, ignore=shutil.ignore_patterns("report"))
    return copy


def report(folder):
    subprocess.run([BITLAB, "report", str(folder)], check=True, stdout=subprocess.DEVNULL)
    return (folder / "report" / "report.html").as_uri()


class PageTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = sample(RESULTS)
        cls.url = report(cls.folder)
        cls.rows = json.loads((cls.folder / "report" / "table.json").read_text())
        cls.browser = Browser()

    @classmethod
    def tearDownClass(cls):
        cls.browser.close()
        shutil.rmtree(cls.folder.parent)

    def setUp(self):
        self.browser.emulate(1200, 1000)
        self.browser.open(self.url)
        self.browser.wait("return document.querySelector('#curves canvas') !== null")
        self.browser.console()

    def tearDown(self):
        self.assertEqual(self.browser.console(), [])

    def column(self, table, index):
        return self.browser.run(f"return [...document.querySelectorAll('#{table} tbody tr')]"
                                f".map(row => row.cells[{index}].textContent)")

    def choose(self, text):
        self.browser.click(f"//div[@id='curves']//label[span[text()='{text}']]")

    def pixels(self, arm):
        """How many pixels of the plot have the arm's colour."""
        return self.browser.run("""
            const output = document.querySelector(`output[data-arm="${arguments[0]}"]`);
            const colour = getComputedStyle(output.closest('li').querySelector('.swatch')).backgroundColor;
            const [r, g, b] = colour.match(/\\d+/g).map(Number);
            const canvas = document.querySelector('#curves canvas');
            const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
            let n = 0;
            for (let i = 0; i < data.length; i += 4)
              if (Math.abs(data[i] - r) + Math.abs(data[i + 1] - g) + Math.abs(data[i + 2] - b) < 12 && data[i + 3] > 200)
                ++n;
            return n;""", arm)

    def value(self, arm):
        return self.browser.run("return document.querySelector(`output[data-arm='${arguments[0]}']`).textContent", arm)

    def where(self):
        return self.browser.run("return document.querySelector('.where').textContent")

    def label(self):
        return self.browser.run("return document.querySelector('.plot').getAttribute('aria-label')")

    def test_a_click_on_a_column_head_sorts(self):
        by_loss = [row["arm"] for row in sorted(self.rows, key=lambda row: row["val_loss_mean"])]
        head = "//table[@id='arms']//th[button[text()='final val loss']]"
        self.browser.click(head + "/button")
        self.assertEqual(self.column("arms", 0), by_loss)
        self.assertEqual(self.browser.run("return document.querySelector('#arms th[aria-sort]').textContent"),
                         "final val loss")
        self.browser.click(head + "/button")
        self.assertEqual(self.column("arms", 0), by_loss[::-1])
        by_speed = [row["arm"] for row in sorted(self.rows, key=lambda row: row["tokens_per_s"])]
        self.browser.click("//table[@id='arms']//th/button[text()='tokens/s']")
        self.assertEqual(self.column("arms", 0), by_speed)

    def test_numbers_sort_as_numbers_and_by_keyboard(self):
        self.browser.click("//details[@id='every-run']/summary")
        self.browser.keys("//table[@id='runs']//th/button[text()='final val loss']", "\ue007")  # Enter
        losses = [float(text) for text in self.column("runs", 2)]
        self.assertEqual(len(losses), sum(row["seeds_planned"] for row in self.rows))
        self.assertEqual(losses, sorted(losses))

    def test_an_arm_is_switched_off_and_on(self):
        arm, other = self.rows[0]["arm"], self.rows[1]["arm"]
        self.assertGreater(self.pixels(arm), 100)
        self.browser.click(f"//ul[@class='arms']//label[span[text()='{arm}']]")
        self.assertEqual(self.pixels(arm), 0)
        self.assertGreater(self.pixels(other), 100)
        self.browser.click(f"//ul[@class='arms']//label[span[text()='{arm}']]")
        self.assertGreater(self.pixels(arm), 100)

    def test_hovering_shows_the_numbers_of_the_table(self):
        self.browser.mouse(OVER, (0.5, 0.5), (0.999, 0.5))
        self.assertIn("optimiser step", self.where())
        for row in self.rows:
            self.assertTrue(self.value(row["arm"]).startswith(f"{row['val_loss_mean']:.4f} ("), self.value(row["arm"]))

    def test_tokens_and_log_scale(self):
        plan = json.loads((self.folder / "plan.json").read_text())
        self.choose("tokens")
        self.browser.mouse(OVER, (0.5, 0.5), (0.999, 0.5))
        self.assertEqual(self.where(), f"tokens: {plan['steps'] * plan['tokens_per_step']:,}")
        before = self.pixels(self.rows[0]["arm"])
        self.choose("log")
        self.assertIn("log scale", self.label())
        self.assertNotEqual(self.pixels(self.rows[0]["arm"]), before)
        self.browser.mouse(OVER, (0.5, 0.5), (0.999, 0.5))
        self.assertTrue(self.value(self.rows[0]["arm"]).startswith(f"{self.rows[0]['val_loss_mean']:.4f}"))
        self.choose("seconds")
        self.browser.mouse(OVER, (0.5, 0.5), (0.999, 0.5))
        self.assertRegex(self.where(), r"^seconds of training: [\d.]+ (s|min|h)$")

    def test_every_metric_and_single_runs(self):
        self.choose("single runs")
        for metric in ("training loss", "gradient norm", "validation loss"):
            self.choose(metric)
            self.assertIn(metric, self.label())
            self.assertIn("seed 1", self.label())
            self.assertGreater(self.pixels(self.rows[0]["arm"]), 100)
        arm = self.rows[0]["arm"]
        for seed in self.rows[0]["seed_list"]:
            self.browser.click(f"//li[.//output[@data-arm='{arm}']]//span[@class='seeds']//label[span[text()='seed {seed}']]")
        self.assertEqual(self.pixels(arm), 0)

    def test_zoom_by_drag_and_back(self):
        reset = "return document.querySelector('#curves-reset').disabled"
        self.assertTrue(self.browser.run(reset))
        self.browser.mouse(OVER, (0.4, 0.5), True, (0.5, 0.5), (0.6, 0.5), False)
        self.assertFalse(self.browser.run(reset))
        self.browser.mouse(OVER, (0.5, 0.5), (0.999, 0.5))
        step = int(re.sub(r"\D", "", self.where()))
        last = json.loads((self.folder / "plan.json").read_text())["steps"]
        self.assertTrue(0.5 * last < step <= 0.65 * last, step)
        self.browser.click("//button[@id='curves-reset']")
        self.assertTrue(self.browser.run(reset))
        self.browser.mouse(OVER, (0.5, 0.5), (0.999, 0.5))
        self.assertEqual(int(re.sub(r"\D", "", self.where())), last)

    def test_keyboard(self):
        self.browser.keys("//div[@class='plot']", "\ue010")  # End
        self.assertTrue(self.value(self.rows[0]["arm"]).startswith(f"{self.rows[0]['val_loss_mean']:.4f}"))
        self.browser.keys("//div[@class='plot']", "\ue011+")  # Home
        self.assertFalse(self.browser.run("return document.querySelector('#curves-reset').disabled"))

    def test_nothing_is_fetched(self):
        self.assertTrue(self.browser.run("return [...document.images].every(image => image.naturalWidth > 300) && "
                                         "document.images.length > 0"))
        self.assertEqual(self.browser.run("return performance.getEntriesByType('resource').map(e => e.name)"), [])

    def test_texts_of_a_config_do_no_harm(self):
        folder = sample(RESULTS)
        plan = json.loads((folder / "plan.json").read_text())
        plan |= {"title": HOSTILE, "question": HOSTILE, "claims": [HOSTILE + " | a < b"], "command": HOSTILE}
        plan["arms"][0]["name"] = plan["baseline"] = HOSTILE
        (folder / "plan.json").write_text(json.dumps(plan))
        self.browser.open(report(folder))
        self.browser.wait("return document.querySelector('#curves canvas') !== null")
        self.assertEqual(self.browser.run("return document.querySelector('h1').textContent"), HOSTILE)
        self.assertIn(HOSTILE, self.browser.run("return [...document.querySelectorAll('.arms li')].map(e => "
                                                "e.querySelector('label').textContent)"))
        self.assertEqual(self.browser.run("return document.querySelectorAll('script:not([type])').length"), 3)
        shutil.rmtree(folder.parent)

    def test_print(self):
        self.browser.emulate(1200, 1000, dark=True)
        pdf = base64.b64decode(self.browser.call("POST", "/print", {}))
        self.assertTrue(pdf.startswith(b"%PDF-"))
        (PICTURES / "report.pdf").write_bytes(pdf)
        self.assertFalse(self.browser.run("return document.documentElement.classList.contains('paper')"))

    def test_every_size_and_scheme(self):
        for width in (1200, 400):
            for dark in (False, True):
                self.browser.emulate(width, 1000, dark)
                self.browser.open(self.url)
                self.browser.wait("return document.querySelector('#curves canvas') !== null")
                self.assertLessEqual(self.browser.run("return document.documentElement.scrollWidth"), width)
                self.browser.picture(PICTURES / f"report-{width}-{'dark' if dark else 'light'}.png")


class LiveTest(unittest.TestCase):
    """The pages of `bitlab serve`, which renew themselves."""

    def setUp(self):
        self.folder = sample(RESULTS).parent
        self.server = subprocess.Popen([BITLAB, "serve", "--port", "0"], stdout=subprocess.PIPE, text=True,
                                       stderr=subprocess.DEVNULL, env={**os.environ, "BITLAB_RESULTS": str(self.folder)})
        self.url = self.server.stdout.readline().strip()
        self.browser = Browser()
        self.browser.emulate(1200, 1000)

    def tearDown(self):
        self.browser.close()
        self.server.terminate()
        self.server.wait()
        self.server.stdout.close()
        shutil.rmtree(self.folder)

    def test_a_run_that_fails_is_seen_without_reloading(self):
        self.browser.open(self.url)
        self.browser.wait("return document.querySelector('[role=status]').textContent.startsWith('Renewed')")
        self.browser.click("//a[text()='experiment']")
        self.browser.wait("return document.querySelector('#curves canvas') !== null")
        self.browser.run("window.same_page = true")
        self.browser.click("//table[@id='arms']//th/button[text()='final val loss']")
        self.browser.mouse(OVER, (0.4, 0.5), True, (0.5, 0.5), (0.6, 0.5), False)
        run = next((self.folder / "experiment").glob("*/seed-1"))
        (run / "DONE").unlink()
        status = json.loads((run / "status.json").read_text())
        (run / "status.json").write_text(json.dumps(status | {"state": "failed", "reason": "diverged at step 7"}))
        self.browser.wait("return document.querySelector('.progress').textContent.includes('1 failed')", 30)
        self.assertIn("diverged at step 7", self.browser.run("return document.querySelector('#runs').textContent"))
        self.assertTrue(self.browser.run("return window.same_page"))
        # What the reader had chosen stays: the order of the table, the zoom.
        self.assertEqual(self.browser.run("return document.querySelector('#arms th[aria-sort]').textContent"),
                         "final val loss")
        self.assertFalse(self.browser.run("return document.querySelector('#curves-reset').disabled"))
        self.assertEqual(self.browser.run("return [...document.querySelectorAll('#arms thead th')].map(e => "
                                          "e.textContent)")[:3], ["arm", "seeds", "state"])
        self.browser.picture(PICTURES / "live.png")
        self.assertEqual(self.browser.console(), [])


if __name__ == "__main__":
    if not is_installed():
        print("skipped: chromium and chromedriver are not installed; scripts/setup --browser does it")
        sys.exit(77)
    BITLAB, RESULTS, PICTURES = sys.argv[1], *map(pathlib.Path, sys.argv[2:4])
    PICTURES.mkdir(parents=True, exist_ok=True)
    unittest.main(argv=sys.argv[:1] + sys.argv[4:])
