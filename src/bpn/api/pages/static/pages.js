// What a page does on top of plain HTML: copies, counts down, shows times in the reader's zone, follows the server.
"use strict";
(() => {
  const page = document.documentElement;
  page.classList.add("js");

  const twoDigits = (number) => String(number).padStart(2, "0");

  function remaining(seconds) {
    const days = Math.floor(seconds / 86400);
    const hours = Math.floor((seconds % 86400) / 3600);
    const clock = `${twoDigits(Math.floor((seconds % 3600) / 60))}:${twoDigits(seconds % 60)}`;
    if (days) return `${days} d ${hours} h`;
    return hours ? `${hours}:${clock}` : clock;
  }

  // The page says what time it is for the server, whose time counts.
  let ahead = 0;
  function readServerTime() {
    const shown = document.querySelector("[data-now]");
    if (shown) ahead = Number(shown.dataset.now) - Date.now();
  }

  function tick() {
    for (const element of document.querySelectorAll("[data-until]")) {
      const left = Math.ceil((Number(element.dataset.until) - Date.now() - ahead) / 1000);
      element.textContent = left > 0 ? remaining(left) : element.dataset.over || "00:00";
    }
  }

  function showLocalTimes() {
    for (const element of document.querySelectorAll("time[data-local]")) {
      const time = new Date(element.dateTime);
      element.textContent = time.toLocaleString(page.lang, { dateStyle: "medium", timeStyle: "short" });
    }
  }

  function say(text) {
    const voice = document.getElementById("voice");
    if (voice && voice.textContent !== text) voice.textContent = text;
  }

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const label = button.querySelector("[data-label]");
    const before = button.dataset.before || label.textContent;
    button.dataset.before = before;
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
    } catch {
      const shown = document.getElementById(button.dataset.shown);
      if (shown) window.getSelection().selectAllChildren(shown);
      return;
    }
    button.classList.add("copied");
    label.textContent = button.dataset.done;
    say(button.dataset.done);
    setTimeout(() => {
      button.classList.remove("copied");
      label.textContent = before;
    }, 2000);
  });

  // Show only the fields that the choice asks for.
  function showChosen() {
    for (const element of document.querySelectorAll("[data-when]")) {
      const [name, value] = element.dataset.when.split("=");
      const chosen = document.querySelector(`input[name="${name}"]:checked`);
      element.hidden = !chosen || chosen.value !== value;
    }
  }
  let touched = false;
  document.addEventListener("input", (event) => {
    if (event.target.closest("form")) touched = true;
    showChosen();
  });

  function renew() {
    readServerTime();
    showLocalTimes();
    showChosen();
    tick();
  }

  function follow() {
    const state = document.getElementById("state");
    if (!state || !state.dataset.watch) return;
    const source = new EventSource(`${state.dataset.watch}?seen=${state.dataset.seen}&lang=${page.lang}`);
    source.onmessage = (event) => {
      // Never under the fingers of somebody who fills in a form.
      if (touched) return;
      const focused = document.activeElement && document.activeElement.id;
      const plain = document.querySelector("#qr-plain:checked");
      state.innerHTML = event.data;
      if (plain && document.getElementById("qr-plain")) document.getElementById("qr-plain").checked = true;
      if (focused && document.getElementById(focused)) document.getElementById(focused).focus();
      const shown = state.querySelector("[data-title]");
      if (shown) {
        document.title = shown.dataset.title;
        say(shown.dataset.said);
      }
      renew();
    };
  }

  renew();
  setInterval(tick, 500);
  follow();
})();
