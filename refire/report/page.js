// Searching and filtering the entries. Without it the page is whole: the form is hidden until this runs.
(function () {
  "use strict";
  var form = document.getElementById("filter");
  var table = document.getElementById("entries");
  if (!form || !table) return;
  var words = document.getElementById("words");
  var fate = document.getElementById("fate");
  var shown = document.getElementById("shown");
  var rows = Array.prototype.slice.call(table.tBodies[0].rows);
  var texts = rows.map(function (row) { return row.textContent.toLowerCase(); });
  function apply() {
    var wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
    var n = 0;
    rows.forEach(function (row, i) {
      var show = (!fate.value || row.dataset.fate === fate.value) &&
        wanted.every(function (word) { return texts[i].indexOf(word) >= 0; });
      row.hidden = !show;
      if (show) n++;
    });
    shown.textContent = n.toLocaleString("en") + " of " + rows.length.toLocaleString("en") + " listed entries";
  }
  form.addEventListener("submit", function (event) { event.preventDefault(); });
  words.addEventListener("input", apply);
  fate.addEventListener("change", apply);
  form.hidden = false;
  apply();
})();
