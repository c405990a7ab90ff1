
"use strict";
document.addEventListener("DOMContentLoaded", () => {
  const form = document.getElementById("filter");
  const places = [...document.querySelectorAll("[data-severity]")];
  const groups = [...document.querySelectorAll("[data-group]")];
  const files = [...document.querySelectorAll("[data-file]")];

  const apply = () => {
    const { severity, rule, path } = form.elements;
    const part = path.value.trim().toLowerCase();
    const wanted = (file) => file.toLowerCase().includes(part);
    const named = new Set();
    for (const place of places) {
      const { dataset } = place;
      place.hidden = (severity.value && dataset.severity !== severity.value) || (rule.value && dataset.rule !== rule.value) || !wanted(dataset.path);
      if (!place.hidden) named.add(dataset.path);
    }
    for (const group of groups) group.hidden = !group.querySelector("[data-severity]:not([hidden])");
    const byFinding = severity.value || rule.value;
    for (const file of files) file.hidden = byFinding ? !named.has(file.dataset.file) : !wanted(file.dataset.file);
    document.getElementById("shown").textContent = `${places.filter((place) => !place.hidden).length} of ${places.length} places shown`;
  };

  if (form) {
    form.hidden = false;
    form.addEventListener("input", apply);
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("reset", () => setTimeout(apply));
    apply();
  }

  // A link to a file opens its diff; on paper everything is open.
  const open = () => document.getElementById(location.hash.slice(1))?.setAttribute("open", "");
  addEventListener("hashchange", open);
  open();
  let folded = [];
  addEventListener("beforeprint", () => {
    folded = [...document.querySelectorAll("details:not([open])")];
    for (const fold of folded) fold.open = true;
  });
  addEventListener("afterprint", () => {
    for (const fold of folded) fold.open = false;
  });

  // Served by the API the other reports are not files beside this one but other formats of the same address.
  if (location.pathname.endsWith("/report")) {
    for (const link of document.querySelectorAll("a[data-format]")) {
      const query = new URLSearchParams(location.search);
      query.set("format", link.dataset.format);
      link.href = `?${query}`;
    }
  }
});
