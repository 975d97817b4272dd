"use strict";
new EventSource("/page/events").addEventListener("frame", (event) => {
  document.getElementById("finished").textContent = JSON.parse(event.data).finished;
});
