// Live parts of a page: an element with data-events is filled from that stream. Nothing else here
// is needed to use the console; without scripts the pages show what was true when they were loaded.
"use strict";

const MOST_ROWS = 1000;
const AGAIN_MS = 3000;
const SILENT_MS = 10000; // the gateway beats at least every two seconds

// --- The search ---

// A letter without its accent, so that "muller" finds Müller.
function plain(text) {
  return text.toLowerCase().normalize("NFD").replace(/\p{M}/gu, "");
}

// A room: each word of the search is its state, its number, or the beginning of a guest's name.
function is_room(row, terms, states) {
  const state = row.dataset.state.split(" ");
  const found = plain(row.dataset.find).split(" ");
  return terms.every((term) => {
    if (states.has(term)) return state.includes(term);
    return found.some((word) => word === term || (/^\D{3}/.test(term) && word.startsWith(term)));
  });
}

function filter() {
  const box = document.getElementById("filter");
  const list = document.getElementById("rows");
  if (!box || !list) return;
  const wanted = plain(box.value.trim());
  const terms = wanted.split(/[\s,;]+/).filter((term) => term);
  const states = new Set((list.dataset.states || "").split(" "));
  let shown = 0;
  const rows = list.tBodies ? list.tBodies[0].children : list.children;
  for (const row of rows) {
    const fits = row.dataset.find === undefined
      ? plain(row.textContent).includes(wanted) : is_room(row, terms, states);
    row.hidden = Boolean(wanted) && !fits;
    shown += !row.hidden;
  }
  const nothing = document.getElementById("nothing");
  if (nothing) nothing.hidden = !wanted || shown > 0;
}

// --- The streams ---

function fill(place, html) {
  if ("newestFirst" in place.dataset) {
    const part = document.createElement("template");
    part.innerHTML = html;
    for (const row of [...part.content.children]) place.prepend(row);
    while (place.children.length > MOST_ROWS) place.lastElementChild.remove();
  } else {
    place.innerHTML = html;
  }
  filter();
}

// What became of records that are shown already: [place on the page, tone, words] of each.
function became(place, outcomes) {
  for (const [id, tone, words] of outcomes) {
    const cell = place.querySelector(`[data-row="${id}"]`);
    if (!cell) continue;
    cell.className = `became ${tone}`;
    cell.textContent = words;
  }
  filter();
}

let heard = Date.now();

function here(time) {
  heard = Date.now();
  document.getElementById("stream").hidden = true;
  document.body.classList.remove("gone");
  if (time) document.getElementById("asof").textContent = time;
}

function gone() {
  const lost = document.getElementById("stream");
  if (!lost.hidden) return;
  document.getElementById("gone").textContent = document.getElementById("asof").textContent;
  lost.hidden = false;
  document.body.classList.add("gone");
}

// The stream was refused, not lost: the session has ended, or too many pages are open. The page as
// it is now says which, and does not go on showing guests to whoever comes by.
function look_again() {
  fetch(location.href).then(() => location.reload(), () => setTimeout(look_again, AGAIN_MS));
}

function follow(place) {
  const pause = document.getElementById("pause");
  const gathers = "newestFirst" in place.dataset;
  const waiting = [];
  let source = null;

  function connect() {
    heard = Date.now();
    source = new EventSource(place.dataset.events);
    const take = (name, act) => source.addEventListener(name, (event) => {
      const data = JSON.parse(event.data);
      if (pause && pause.checked) waiting.push(() => act(place, data));
      else act(place, data);
      if (waiting.length > MOST_ROWS) waiting.shift();
    });
    take(place.dataset.event, fill);
    take("outcomes", became);
    source.addEventListener("beat", (event) => here(JSON.parse(event.data)));
    source.onopen = () => {
      if (gathers && !(pause && pause.checked)) place.replaceChildren(); // it tells the past again
      here("");
    };
    source.onerror = () => {
      gone();
      if (source.readyState === EventSource.CLOSED) setTimeout(look_again, AGAIN_MS);
    };
  }

  connect();
  // A browser opens six connections to one host: a page that nobody sees gives its own back.
  if (!gathers) document.addEventListener("visibilitychange", () => {
    source.close();
    if (!document.hidden) connect();
  });
  if (pause) pause.addEventListener("change", () => {
    while (!pause.checked && waiting.length) waiting.shift()();
  });
}

const places = document.querySelectorAll("[data-events]");
for (const place of places) follow(place);
if (places.length) setInterval(() => {
  if (!document.hidden && Date.now() - heard > SILENT_MS) gone();
}, 1000);

const box = document.getElementById("filter");
if (box) box.addEventListener("input", filter);

const hex = document.getElementById("hex");
if (hex) hex.addEventListener("change", () => {
  document.getElementById("rows").classList.toggle("hexa", hex.checked);
});
