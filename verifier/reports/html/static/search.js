// Search over SLAT_INDEX, an array of [kind, name, where, text, place]; works from file://, and asks nobody.
"use strict";

const MOST = 100;

// How well an item fits all words; 0 if one of them is missing. A name counts more than what is said of it.
function score(item, words) {
  const [, name, where, text] = item.map((part) => part.toLowerCase());
  let sum = 0;
  for (const word of words) {
    if (name === word) sum += 100;
    else if (name.startsWith(word)) sum += 40;
    else if (` ${text} `.includes(` ${word} `)) sum += 30;
    else if (name.includes(word)) sum += 20;
    else if (text.includes(word)) sum += 8;
    else if (where.includes(word)) sum += 5;
    else return 0;
  }
  return sum;
}

function find(question) {
  const words = question.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return [];
  return SLAT_INDEX.map((item, position) => ({ item, position, score: score(item, words) }))
    .filter((found) => found.score > 0)
    .sort((a, b) => b.score - a.score || a.position - b.position)
    .map((found) => found.item);
}

function element(name, text, className) {
  const made = document.createElement(name);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}

function row([kind, name, where, text, place]) {
  const made = document.createElement("li");
  const link = element("a", name);
  link.href = place;
  made.append(link, " ", element("span", `${kind}, ${where}`, "note"));
  if (text) made.append(element("p", text));
  return made;
}

function show(question) {
  const found = find(question);
  const shown = found.slice(0, MOST);
  document.getElementById("search-results").replaceChildren(...shown.map(row));
  const count = found.length === 1 ? "1 result" : `${found.length} results`;
  const more = found.length > shown.length ? `, the first ${shown.length} of them below` : "";
  document.getElementById("search-count").textContent = question.trim() ? count + more : "";
}

const input = document.getElementById("search-words");
input.value = new URLSearchParams(location.search).get("q") || "";
input.addEventListener("input", () => show(input.value));
document.getElementById("search-form").addEventListener("submit", (event) => event.preventDefault());
show(input.value);
if (!input.value) input.focus();
