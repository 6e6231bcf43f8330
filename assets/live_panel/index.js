// The component's entry: the page's bootstrap calls `mount` again on every change of data or theme.

import { Panel } from "./panel.js";

export function mount({ parentElement, data, setStateValue, setTriggerValue }, base) {
  const panel = (parentElement.bnvPanel ||= new Panel(parentElement, base));
  const turn = (panel.turns = (panel.turns || 0) + 1);
  panel.update(data, { setStateValue, setTriggerValue });
  return () => {
    if (panel.turns !== turn) return; // a later call has taken over
    panel.destroy();
    if (parentElement.bnvPanel === panel) delete parentElement.bnvPanel;
  };
}
