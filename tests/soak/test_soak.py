"""The soak's own judgement: what leaks is found, what is noise is not, and the picture is one.

    python3 -m unittest discover -s tests/soak
"""

import random
import unittest
import xml.etree.ElementTree as ElementTree

from glassbox_load.plot import Line, Panel, Period, Picture, nice_steps, number, powers
from verdict import BOUNDS, HOUR, MIB, judge, judge_all, slope

RSS = next(bound for bound in BOUNDS if bound.name == "rss")


def samples(seconds, rss, count=400):
    """As a soak takes them; `rss(at)` gives the memory, all else stands still."""
    return [{"seconds": at, "rss": rss(at), "pss": 9 * MIB, "dirty": 8 * MIB, "descriptors": 80,
             "threads": 6} for at in (seconds * i / count for i in range(count + 1))]


def noisy(dice, level=12 * MIB):
    """Crowds come and go: a plateau now and then, and a spike of a burst."""
    return level + dice.choice((0, 0, 0, 2 * MIB, 2 * MIB, 40 * MIB)) + dice.uniform(-1e5, 1e5)


class Slope(unittest.TestCase):
    def test_of_a_line(self):
        self.assertAlmostEqual(slope([(x, 3 * x + 7) for x in range(50)]), 3)

    def test_of_too_little(self):
        self.assertEqual(slope([]), 0)
        self.assertEqual(slope([(1, 5)]), 0)

    def test_spikes_do_not_move_it(self):
        points = [(x, 2.0 * x + (1e6 if x % 4 == 0 else 0)) for x in range(200)]
        self.assertAlmostEqual(slope(points), 2, delta=0.3)

    def test_thousands_of_samples_are_thinned(self):
        self.assertAlmostEqual(slope([(x, x) for x in range(20_000)]), 1)


class Flatness(unittest.TestCase):
    def test_noise_is_flat(self):
        for seed in range(20):
            dice = random.Random(seed)
            for seconds in (180, 1500, 4 * HOUR):
                self.assertTrue(judge(samples(seconds, lambda at: noisy(dice)), RSS).good)

    def test_what_is_touched_first_is_no_leak(self):
        """Growth that comes to its end in the first half."""
        grown = samples(1500, lambda at: 5 * MIB + 9 * MIB * min(1, at / 600))
        self.assertTrue(judge(grown, RSS).good)

    def test_a_leak_is_found(self):
        """32 bytes a request at 500 requests a second: in a minute too little to be told from noise,
        in half an hour and in four hours not."""
        for seed in range(20):
            dice = random.Random(seed)
            for seconds, found in ((60, False), (1800, True), (4 * HOUR, True)):
                leaking = samples(seconds, lambda at: noisy(dice) + 32 * 500 * at)
                self.assertEqual(judge(leaking, RSS).good, not found, (seed, seconds))

    def test_a_descriptor_a_minute_is_found(self):
        leaking = samples(1800, lambda at: 12 * MIB)
        for sample in leaking:
            sample["descriptors"] += int(sample["seconds"] / 60)
        bad = [finding.what for finding in judge_all(leaking) if not finding.good]
        self.assertEqual(bad, ["descriptors"])

    def test_a_thread_more_is_found(self):
        more = samples(1800, lambda at: 12 * MIB)
        for sample in more:
            sample["threads"] += 900 < sample["seconds"] < 910
        bad = [finding.what for finding in judge_all(more) if not finding.good]
        self.assertEqual(bad, ["threads, fewest and most"])

    def test_one_sample_over_the_ceiling_is_found(self):
        burst = samples(1800, lambda at: 200 * MIB if 800 < at < 805 else 12 * MIB)
        self.assertFalse(judge(burst, RSS).good)


class Drawing(unittest.TestCase):
    def test_axes(self):
        self.assertEqual(nice_steps(0), [0, 1])
        self.assertEqual(nice_steps(14.4), [0, 5, 10, 15])
        self.assertEqual(nice_steps(100, 10), [10.0 * i for i in range(11)])
        self.assertEqual(powers(25_000), [1, 10, 100, 1000, 10_000, 100_000])
        self.assertEqual([number(value) for value in (0, 12.345, 2048, 188_089, 1_200_000)],
                         ["0", "12.35", "2048", "188 k", "1.2 M"])

    def test_it_is_xml_and_inside_its_frame(self):
        lines = [Line("a < b", "#000000", [(x, x * 1.7) for x in range(100)])]
        picture = Picture("a & b", "c", 99, [Panel("one", "MiB", lines),
                                             Panel("two", "1/s", lines, logarithmic=True)],
                          [Period("down", "#ff0000", 10, 20)], [30, 60], "turned")
        root = ElementTree.fromstring(picture.svg())
        width, height = float(root.get("width")), float(root.get("height"))
        found = 0
        for line in root.iter("{http://www.w3.org/2000/svg}polyline"):
            for point in line.get("points").split():
                x, y = map(float, point.split(","))
                self.assertTrue(0 <= x <= width and 0 <= y <= height, point)
                found += 1
        self.assertEqual(found, 200)


if __name__ == "__main__":
    unittest.main()
