// Live parts of a page: an element with data-events is filled from that stream. Nothing else here
// is needed to use the console; without scripts the pages show what was true when they were loaded.
"use strict";

const MOST_ROWS = 1000;
const AGAIN_MS = 3000;

function matches(row, wanted) {
  return !wanted || row.textContent.toLowerCase().includes(wanted);
}

function filter(rows) {
  const box = document.getElementById("filter");
  const wanted = box ? box.value.trim().toLowerCase() : "";
  for (const row of rows) row.hidden = !matches(row, wanted);
}

function fill(place, html) {
  if (!("newestFirst" in place.dataset)) {
    place.innerHTML = html;
    return;
  }
  const part = document.createElement("template");
  part.innerHTML = html;
  const rows = [...part.content.children];
  filter(rows);
  for (const row of rows) place.prepend(row);
  while (place.children.length > MOST_ROWS) place.lastElementChild.remove();
}

// The stream was refused, not lost: the session has ended, or too many pages are open. The page as
// it is now says which, and does not go on showing guests to whoever comes by.
function look_again() {
  fetch(location.href).then(() => location.reload(), () => setTimeout(look_again, AGAIN_MS));
}

function follow(place) {
  const pause = document.getElementById("pause");
  const lost = document.getElementById("stream");
  const waiting = [];
  const source = new EventSource(place.dataset.events);
  source.addEventListener(place.dataset.event, (event) => {
    const html = JSON.parse(event.data);
    if (pause && pause.checked) waiting.push(html);
    else fill(place, html);
    if (waiting.length > MOST_ROWS) waiting.shift();
  });
  source.onopen = () => {
    const paused = pause && pause.checked;
    if ("newestFirst" in place.dataset && !paused) place.replaceChildren(); // it tells the past again
    lost.hidden = true;
  };
  source.onerror = () => {
    lost.hidden = false;
    if (source.readyState === EventSource.CLOSED) setTimeout(look_again, AGAIN_MS);
  };
  if (pause) pause.addEventListener("change", () => {
    while (!pause.checked && waiting.length) fill(place, waiting.shift());
  });
}

for (const place of document.querySelectorAll("[data-events]")) follow(place);

const box = document.getElementById("filter");
if (box) box.addEventListener("input", () => {
  const list = document.getElementById("rows");
  filter(list.tBodies ? list.tBodies[0].children : list.children);
});

const hex = document.getElementById("hex");
if (hex) hex.addEventListener("change", () => {
  document.getElementById("rows").classList.toggle("hexa", hex.checked);
});
