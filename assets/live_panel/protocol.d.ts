// Written by scripts/build_protocol.py from the types in Python; `make docs` writes it again.

export type Value = number | null;

export type Point = Array<number | null | string>;

export type Whole = Array<Array<Value>> | Array<string> | string;

export type Series = Point | Array<Array<Value>> | Array<string> | string;

export type Views = Record<string, Array<Series>>;

export type Kind = "append" | "replace";

export type Shape = "line" | "band" | "range" | "points" | "flag" | "ridge" | "image" | "columns";

export type RunState = "queued" | "running" | EndState;

export type EndState = "finished" | "stopped" | "failed";

/** How cells are packed: a character a level, from the lowest, and those with a meaning of their own. */
export interface Cells {
  alphabet: string;
  not_measured: string;
  diverged: string;
  diverged_color: string;
}

/** How something is drawn, in words of Plotly's, and the dashes and the path of the symbol for a legend's SVG. */
export interface Style {
  label: string;
  color: string;
  dash: string;
  symbol: string;
  stroke: string;
  shape: string;
}

/** A choice on a chart's card; options are pairs of a value and its label. */
export interface Selector {
  name: string;
  label: string;
  options: Array<[string, string]>;
  value: string;
  role: "view" | "scale";
}

/** Which columns of which series go into which trace; see `bnviz.charts.spec.Mark`. */
export interface Mark {
  mark: Shape;
  trace: number;
  series: number;
  columns: Array<number>;
  arm: number | null;
  x: number | null;
  rows: number;
  offset: number;
  width: number;
  height: number;
}

/** What the y axis shows: a fixed range, or the data within a cap, with a floor and values that it always includes. */
export interface YRule {
  range: [number, number] | null;
  cap: Value;
  floor: Value;
  include: Array<number>;
  follow: boolean;
}

/** Titles of the axes in one view. */
export interface Titles {
  x?: string;
  y?: string;
}

/** A text of a figure, as Plotly has it. */
export interface Text {
  text: string;
  [key: string]: unknown;
}

/** What the panel reads of an axis of a figure. */
export interface Axis {
  type?: string;
  title?: Text;
  range?: [number, number];
  domain?: [number, number];
  ticktext?: Array<string>;
  tickvals?: Array<number>;
  [key: string]: unknown;
}

/** Pixels around a plot. */
export interface Margin {
  l: number;
  r: number;
  t: number;
  b: number;
  [key: string]: unknown;
}

/** An image of a figure; the panel sets its source. */
export interface Image {
  source?: string;
  [key: string]: unknown;
}

/** What the panel reads of a figure's layout; others of its axes are named yaxis2 and so on. */
export interface Layout {
  xaxis: Axis;
  yaxis: Axis;
  margin: Margin;
  images?: Array<Image>;
  [key: string]: unknown;
}

/** What the panel reads of a trace of a figure. */
export interface Trace {
  uid?: string;
  mode?: string;
  xaxis?: string;
  yaxis?: string;
  [key: string]: unknown;
}

/** A figure of Plotly's, without the data that frames bring. */
export interface Figure {
  data: Array<Trace>;
  layout: Layout;
}

/** The skeleton of one chart; see `bnviz.charts.spec.ChartSpec`. */
export interface Chart {
  id: string;
  title: string;
  how: string;
  kind: Kind;
  figure: Figure;
  marks: Array<Mark>;
  selectors: Array<Selector>;
  x: Array<number> | null;
  y: YRule;
  titles: Record<string, Titles>;
  palette: Array<string>;
  legend: Array<Style>;
  wide: boolean;
  tall: boolean;
  empty: string;
}

/** Where a run stands before its end; `queue_position` counts from 1, `cached`: it had finished before it was asked for. */
export interface Status {
  state: RunState;
  queue_position: number | null;
  cached: boolean;
}

/** Whether the arms are twins, in words and as one row of hashes per arm; a study has none, and an empty text. */
export interface Proof {
  twins: boolean;
  text: string;
  rows: Array<string>;
}

/** The skeleton that frames are drawn into; `steps` and `frames` are 0 for a study, whose stages count their own. */
export interface Start {
  run_id: string;
  steps: number;
  frames: number;
  cells: Cells;
  arms: Array<Style>;
  band: string;
  proof: Proof;
  charts: Array<Chart>;
}

/** What one measurement adds: views by chart, and the sentences that changed, a chart's note as `chart:view`. A study's says which share of its work is done, 0 to 1, and where it stands, in words for the playback bar. */
export interface Frame {
  frame: number;
  step: number;
  charts: Record<string, Views>;
  text: Record<string, string>;
  done?: number;
  at?: string;
}

/** How a run ended; `lost`: nobody knows it any more. `answer`: a study's, a choice or null where the data do not decide. */
export interface End {
  state: EndState | "lost";
  step: number;
  reason: string;
  verdict: string;
  answer?: string | null;
}

/** Events that come through Streamlit: the frames since the tick before the last, of `count` that there are. */
export interface Slow {
  status: Status | null;
  start: Start | null;
  frames: Array<Frame>;
  count: number;
  end: End | null;
}

/** What the visitor expects: the texts that could be chosen, by key, and the key that was; empty: none. */
export interface Prediction {
  choices: Record<string, string>;
  predicted: string;
}

/** What the component needs; addresses are relative to the app's base path. `generation` grows when a run starts anew. */
export interface Data {
  run_id: string;
  generation: number;
  module: string;
  css: string;
  plotly: string;
  stream: string;
  run: string;
  health: string;
  autoplay: boolean;
  slow: Slow | null;
  prediction: Prediction | null;
}

/** What the component tells and Streamlit keeps. The API is out of reach; frames are asked for from this one on, with a number of its own so that it can be done twice; the run and generation of which it has everything. */
export interface States {
  unreachable: boolean;
  resume_from: [number, number];
  complete: string;
}

/** What the component asks for once: to stop the run, where the API cannot be asked, and to run it again. */
export interface Triggers {
  stop: boolean;
  again: boolean;
}
