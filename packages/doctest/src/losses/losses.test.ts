import { fileURLToPath } from "node:url";
import * as losses from "@gradus/losses";
import { describe, expect, it } from "vitest";
import { entries } from "./entries.js";
import { fileOf, lossesPage, titleOf } from "./page.js";
import { pictureOf } from "./picture.js";

const root = fileURLToPath(new URL("../../../../", import.meta.url));
const all = Object.values(entries).flatMap((group) => Object.entries(group));

describe("the page of losses", () => {
  it("has every loss", () => {
    const others = ["accuracy", "evidence", "suggestLoss"];
    const named = all.map(([name]) => name);
    expect(named.filter((name) => !(name in losses))).toEqual([]);
    expect(Object.keys(losses).filter((name) => !named.includes(name) && !others.includes(name))).toEqual([]);
  });

  it("is what the entries say", async () => {
    await expect(lossesPage()).toMatchFileSnapshot(`${root}docs/losses.md`);
  });

  it.each(all)("shows %s as the library computes it", async (name, { picture }) => {
    const svg = pictureOf(titleOf(name), picture);
    expect(svg).not.toContain("NaN");
    await expect(svg).toMatchFileSnapshot(`${root}docs/losses/${fileOf(name)}`);
  });
});
