"use strict";
// Each target carries its settings: the precision asked for, what it covers, what was right, the thresholds. Moving one slider
// looks the setting up and moves the other.
for (const section of document.querySelectorAll("section[data-target]")) {
  const model = JSON.parse(section.querySelector("script[type='application/json']").textContent);
  const precision = section.querySelector("[data-slider=precision]");
  const coverage = section.querySelector("[data-slider=coverage]");
  const say = (name, text) => { section.querySelector(`[data-say=${name}]`).textContent = text; };
  const percent = (share) => (100 * share).toFixed(1) + " %";

  const show = (place, moved) => {
    const setting = model.settings[place];
    if (moved !== precision) { precision.value = place; }
    if (moved !== coverage) { coverage.value = Math.round(1000 * setting.coverage); }
    say("precision", percent(setting.asked));
    say("coverage", percent(setting.coverage));
    const measured = setting.precision === null ? "nothing is filled in" : `${percent(setting.precision)} of them right`;
    const only = setting.thresholds.filter((threshold) => threshold > 1).length;
    say("measured", `${percent(setting.coverage)} of these rows filled in, ${measured}; ${only} of ${setting.thresholds.length} labels recommend only.`);
    setting.thresholds.forEach((threshold, label) => {
      const cell = section.querySelector(`[data-threshold="${label}"]`);
      if (cell) { cell.textContent = threshold > 1 ? "recommend only" : threshold.toFixed(3); }
    });
    const marker = section.querySelector(".marker");
    const { x, y } = model.frame;
    marker.setAttribute("cx", x[0] + x[1] * setting.coverage);
    marker.setAttribute("cy", setting.precision === null ? -20 : y[0] + y[1] * setting.precision);
  };

  // The most precise setting that still covers as much as was asked for.
  const covering = (share) => {
    let found = 0;
    model.settings.forEach((setting, place) => { if (setting.coverage >= share - 0.0005) { found = place; } });
    return found;
  };

  precision.addEventListener("input", () => show(Number(precision.value), precision));
  coverage.addEventListener("input", () => show(covering(Number(coverage.value) / 1000), coverage));
  show(model.start);
}
