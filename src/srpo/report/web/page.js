"use strict";
// Texts of the run enter the page by textContent alone, never as markup.

let groups = [];
const form = document.getElementById("filters");
const list = document.getElementById("groups");
const pages = document.getElementById("pages");
const tip = document.getElementById("tip");
const PAGE = 10;
let found = [];
let page = 0;

function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

// --- the browser of rollouts

function wanted() {
  const values = Object.fromEntries(new FormData(form));
  values.id = values.id.trim().toLowerCase();
  values.text = values.text.trim().toLowerCase();
  return values;
}

function keeps(want, group) {
  const kind = group.correct === 0 ? "wrong" : group.correct === group.judged ? "right" : "mixed";
  return (
    (!want.domain || group.domain === want.domain) &&
    (!want.epoch || `${group.stage} ${group.epoch}` === want.epoch) &&
    (!want.group || (kind === want.group && group.judged > 0)) &&
    (!want.from || group.step >= Number(want.from)) &&
    (!want.to || group.step <= Number(want.to)) &&
    (!want.id || group.id.toLowerCase().includes(want.id)) &&
    (!want.outcome || group.shown.some((r) => r[1] === want.outcome)) &&
    (!want.text || matches(group, want.text))
  );
}

function matches(group, text) {
  const has = (part) => part !== null && part.toLowerCase().includes(text);
  return has(group.prompt) || group.shown.some((r) => has(r[4]) || has(r[5]) || has(r[7]));
}

function search() {
  const want = wanted();
  found = groups.filter((group) => keeps(want, group));
  if (!want.order) found.reverse();
  page = 0;
  show();
}

function show() {
  const last = Math.max(0, Math.ceil(found.length / PAGE) - 1);
  const want = wanted();
  list.replaceChildren(...found.slice(page * PAGE, (page + 1) * PAGE).map((g) => card(g, want)));
  const count = `${found.length.toLocaleString("en")} of ${groups.length.toLocaleString("en")} groups`;
  document.getElementById("count").textContent = found.length ? `${count} match` : "No group matches.";
  pages.hidden = last === 0;
  pages.querySelector("span").textContent = `page ${page + 1} of ${last + 1}`;
  pages.querySelector("[name=previous]").disabled = page === 0;
  pages.querySelector("[name=next]").disabled = page === last;
}

function card(group, want) {
  const known = [...form.elements.domain.options].find((o) => o.value === group.domain);
  const box = make("details", `group ${known?.dataset.color ?? ""}`);
  const title = make("summary");
  const place = `step ${group.step} · ${group.stage} · epoch ${group.epoch} · ${group.domain} · `;
  const score = make("span", "score");
  score.setAttribute("aria-hidden", "true");
  score.append(...group.shown.map((r) => make("i", outcomeClass(r[1]))));
  const right = `${group.correct} of ${group.rollouts} correct`;
  title.append(make("strong", "", group.id), " ", score, make("small", "", place + right));
  box.append(title);
  const fill = () => {
    if (box.open && box.children.length === 1) box.append(...body(group, want));
  };
  box.addEventListener("toggle", fill);
  return box;
}

function body(group, want) {
  const problem = make("pre", "problem", group.prompt);
  const fitting = group.shown.filter((r) => !want.outcome || r[1] === want.outcome);
  const parts = [problem, ...fitting.map(rollout)];
  const left = group.rollouts - group.shown.length;
  if (left > 0) parts.push(make("p", "hint", `${left} more rollouts are not in this page.`));
  return parts;
}

function rollout([number, outcome, tokens, cut, answer, detail, reward, text, marks]) {
  const box = make("div", `rollout ${outcomeClass(outcome)}`);
  const line = make("p");
  const sign = { correct: "✓", incorrect: "✗", error: "!" }[outcome] || "?";
  line.append(make("span", "badge", `${sign} ${outcome}`));
  let rest = ` · #${number} · ${tokens} tokens${cut ? " (cut)" : ""}`;
  if (reward) {
    const [accuracy, format, language, total] = reward;
    rest += ` · reward ${total} (accuracy ${accuracy}, format ${format}, language ${language})`;
  } else {
    rest += " · no reward";
  }
  line.append(rest);
  box.append(line);
  if (answer !== null) box.append(make("p", "", `answer: ${answer}`));
  if (detail) box.append(make("p", "", `verdict: ${detail}`));
  const response = make("pre");
  response.append(...marked(text, marks));
  response.tabIndex = 0;
  box.append(response);
  return box;
}

// Sentences that show a behaviour, with its name. Places count characters as Python does.
function marked(text, marks) {
  const characters = [...text];
  const parts = [];
  let at = 0;
  for (const [start, end, behaviour] of marks) {
    const last = parts[parts.length - 1];
    if (start < at) {
      last.title += `, ${behaviour}`; // the same sentence once more
      continue;
    }
    parts.push(characters.slice(at, start).join(""));
    const sentence = make("mark", "", characters.slice(start, end).join(""));
    sentence.title = behaviour;
    parts.push(sentence);
    at = end;
  }
  parts.push(characters.slice(at).join(""));
  return parts;
}

function outcomeClass(outcome) {
  return ["correct", "incorrect", "error"].includes(outcome) ? outcome : "";
}

function turn(by) {
  page += by;
  show();
  document.getElementById("count").scrollIntoView({ block: "nearest" });
}

async function unpack(text) {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const plain = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(plain).json();
}

form.addEventListener("input", search);
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("reset", () => setTimeout(search));
pages.querySelector("[name=previous]").addEventListener("click", () => turn(-1));
pages.querySelector("[name=next]").addEventListener("click", () => turn(1));
const ready = unpack(document.getElementById("data").textContent).then((found) => {
  groups = found;
  form.hidden = groups.length === 0;
  if (groups.length) search();
});

// --- reading a chart's values: they are the rows of its table

class Reader {
  constructor(figure) {
    this.plot = figure.querySelector(".plot");
    this.svg = figure.querySelector("svg");
    this.heads = [...figure.querySelectorAll("thead th")].map((cell) => cell.textContent);
    this.rows = [...figure.querySelectorAll("tbody tr")].map((row) =>
      [...row.children].map((cell) => cell.textContent),
    );
    this.bars = this.plot.dataset.kind === "bars";
    // The last number of "11-15" is where the point stands; an epoch stands mid-bar.
    const place = (label) => Number(label.split("-").pop().replaceAll(",", ""));
    this.at = this.rows.map((row, i) => (this.bars ? i + 0.5 : place(row[0])));
    this.index = -1;
    this.plot.addEventListener("pointermove", (event) => this.point(event));
    this.plot.addEventListener("pointerdown", (event) => this.point(event));
    this.plot.addEventListener("pointerleave", () => this.hide());
    this.plot.addEventListener("blur", () => this.hide());
    this.plot.addEventListener("click", () => this.open());
    this.plot.addEventListener("keydown", (event) => this.key(event));
  }

  scale(value) {
    const { left, right, low, high } = this.svg.dataset;
    return Number(left) + ((value - low) / (high - low || 1)) * (right - left);
  }

  point(event) {
    const box = this.svg.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * this.svg.dataset.width;
    let best = 0;
    this.at.forEach((value, i) => {
      if (Math.abs(this.scale(value) - x) < Math.abs(this.scale(this.at[best]) - x)) best = i;
    });
    this.read(best);
  }

  key(event) {
    const last = this.rows.length - 1;
    const here = this.index < 0 ? last : this.index;
    const jumps = { ArrowLeft: here - 1, ArrowRight: here + 1, Home: 0, End: last };
    if (event.key in jumps) {
      event.preventDefault();
      this.read(Math.min(last, Math.max(0, jumps[event.key])));
    } else if (event.key === "Enter") {
      this.open();
    } else if (event.key === "Escape") {
      this.hide();
    }
  }

  read(index) {
    if (!this.rows.length) return;
    this.index = index;
    const row = this.rows[index];
    const lines = row.slice(1).map((value, i) => `${this.heads[i + 1]}: ${value}`);
    tip.textContent = [`${this.heads[0]} ${row[0]}`, ...lines].join("\n");
    tip.hidden = false;
    this.plot.classList.add("on");
    const x = this.scale(this.at[index]);
    const cursor = this.svg.querySelector(".cursor");
    cursor.setAttribute("x1", x);
    cursor.setAttribute("x2", x);
    this.place(x);
  }

  place(x) {
    const box = this.svg.getBoundingClientRect();
    const middle = box.left + (x / this.svg.dataset.width) * box.width;
    const side = middle + 12 + tip.offsetWidth > document.documentElement.clientWidth - 8;
    const left = side ? Math.max(4, middle - 12 - tip.offsetWidth) : middle + 12;
    tip.style.left = `${left + window.scrollX}px`;
    tip.style.top = `${box.top + window.scrollY + 20}px`;
  }

  hide() {
    this.index = -1;
    tip.hidden = true;
    this.plot.classList.remove("on");
  }

  open() {
    if (this.index < 0 || !groups.length || form.hidden) return;
    form.reset();
    const label = this.rows[this.index][0];
    if (this.bars) {
      form.elements.epoch.value = label;
    } else {
      // The page may hold no rollouts of this very step: the nearest will do.
      const step = this.at[this.index];
      const gap = (group) => Math.abs(group.step - step);
      const nearest = groups.reduce((a, b) => (gap(b) < gap(a) ? b : a)).step;
      form.elements.from.value = nearest;
      form.elements.to.value = nearest;
    }
    this.hide();
    setTimeout(() => {
      search();
      document.getElementById("rollouts").scrollIntoView();
    });
  }
}

document.querySelectorAll("figure").forEach((figure) => new Reader(figure));
