/// One style sheet for all pages: light and dark, narrow and wide.
let styleSheet = """
  :root {
    color-scheme: light dark;
    --paper: #fbfaf8; --card: #fff; --ink: #1c2126; --soft: #57606a; --line: #d9d5cd; --link: #1a5688;
    --button: #1a5688; --on-button: #fff; --unexplained: #a8261c; --expected: #6b5200; --known: #1d6b3f;
    --no-history: #4c5560; --tint: #f1efea;
  }
  @media (prefers-color-scheme: dark) {
    :root {
      --paper: #14171a; --card: #1b1f23; --ink: #e8e6e1; --soft: #a3abb3; --line: #343a41; --link: #8fc3ec;
      --button: #8fc3ec; --on-button: #10161b; --unexplained: #ff9c90; --expected: #e5c568; --known: #86d3a3;
      --no-history: #b4bcc5; --tint: #22272c;
    }
  }
  * { box-sizing: border-box; }
  [hidden] { display: none !important; }
  html { font: 100%/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
  body { margin: 0; background: var(--paper); color: var(--ink); overflow-wrap: anywhere; }
  a { color: var(--link); text-underline-offset: .15em; }
  a:hover { text-decoration-thickness: 2px; }
  :focus-visible { outline: 3px solid var(--link); outline-offset: 2px; border-radius: 3px; }
  .skip { position: absolute; left: -99rem; }
  .skip:focus { left: .5rem; top: .5rem; background: var(--card); padding: .5rem 1rem; z-index: 1; }
  .top, main, .bottom { max-width: 68rem; margin: 0 auto; padding: 0 1rem; }
  header { border-bottom: 1px solid var(--line); background: var(--card); }
  .top { display: flex; flex-wrap: wrap; align-items: center; gap: 0 1.25rem; padding-top: .6rem; }
  .top:not(:has(nav)) { padding-bottom: .6rem; }
  .brand { font-weight: 650; font-size: 1.15rem; letter-spacing: .01em; color: var(--ink); text-decoration: none; }
  .who { margin-left: auto; color: var(--soft); font-size: .9rem; display: flex; flex-wrap: wrap; gap: .2rem .75rem; align-items: center; }
  .who form { margin: 0; }
  nav.main { flex-basis: 100%; overflow-x: auto; }
  nav ul { display: flex; gap: 0 1.1rem; list-style: none; margin: 0; padding: 0; }
  nav a { display: block; padding: .55rem 0; color: var(--soft); text-decoration: none; white-space: nowrap; border-bottom: 2px solid transparent; }
  nav a:hover { color: var(--ink); }
  nav a[aria-current] { color: var(--ink); border-color: var(--link); font-weight: 600; }
  nav.sub { margin: 0 0 1.25rem; border-bottom: 1px solid var(--line); overflow-x: auto; }
  .bottom { color: var(--soft); font-size: .875rem; padding-top: 2rem; padding-bottom: 2rem; }
  main { padding-top: 1.25rem; min-height: 60vh; }
  h1 { font-size: 1.5rem; line-height: 1.25; margin: .25rem 0 .75rem; font-weight: 650; }
  h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; font-weight: 650; }
  h3 { font-size: 1rem; margin: 1.25rem 0 .25rem; font-weight: 650; }
  p { margin: .5rem 0; max-width: 42rem; }
  .soft, small { color: var(--soft); }
  .date { white-space: nowrap; }
  small { font-size: .875rem; }
  .count { display: inline-block; min-width: 1.4em; padding: 0 .4em; border-radius: 1em; background: var(--unexplained); color: var(--card); font-size: .8rem; font-weight: 650; text-align: center; }
  .card { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: .9rem 1rem; margin: .75rem 0; }
  .card h2 { margin-top: 1rem; }
  .card > :first-child { margin-top: 0; } .card > :last-child { margin-bottom: 0; }
  .note { border-left: 4px solid var(--link); } .bad { border-left: 4px solid var(--unexplained); }
  .figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .75rem; margin: 1rem 0; padding: 0; list-style: none; }
  .figures li { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: .7rem .9rem; }
  .figures b { display: block; font-size: 1.5rem; line-height: 1.2; font-weight: 600; font-variant-numeric: tabular-nums; }
  ul.list { list-style: none; padding: 0; margin: .5rem 0; border-top: 1px solid var(--line); }
  ul.list + ul.list { border-top: 0; margin-top: -.5rem; }
  ul.list > li { border-bottom: 1px solid var(--line); padding: .7rem 0; }
  .names { font-weight: 600; }
  .line { display: flex; flex-wrap: wrap; gap: .15rem .75rem; align-items: baseline; }
  .line > .end { margin-left: auto; }
  .line.whole { flex-wrap: nowrap; } .line.whole > :first-child { flex: 1; min-width: 0; } .line.whole button { white-space: nowrap; }
  ul.list > .line > form { margin: 0; }
  .badge { display: inline-block; padding: 0 .55em; border: 1px solid currentColor; border-radius: 1em; font-size: .8125rem; font-weight: 600; white-space: nowrap; }
  .badge::before { content: "●"; font-size: .7em; margin-right: .4em; vertical-align: .1em; }
  .unexplained { color: var(--unexplained); } .unexplained::before { content: "▲"; }
  .expected { color: var(--expected); } .expected::before { content: "◆"; }
  .known { color: var(--known); } .known::before { content: "✓"; }
  .no-history { color: var(--no-history); } .no-history::before { content: "○"; }
  .plain { color: var(--soft); } .plain::before { content: ""; margin: 0; }
  ul.reasons { margin: .4rem 0; padding-left: 1.2rem; max-width: 46rem; }
  dl { display: grid; grid-template-columns: minmax(8rem, 12rem) 1fr; gap: .35rem 1rem; margin: .75rem 0; }
  dt { color: var(--soft); } dd { margin: 0; min-width: 0; }
  code, pre, .code { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace; font-size: .875em; }
  pre { white-space: pre-wrap; background: var(--tint); border-radius: 6px; padding: .75rem; margin: .5rem 0; max-height: 24rem; overflow: auto; } pre.whole { max-height: none; }
  .scroll { position: relative; overflow-x: auto; margin: .75rem 0; }
  table { border-collapse: collapse; width: 100%; font-size: .9375rem; }
  caption { text-align: left; color: var(--soft); padding-bottom: .3rem; }
  th, td { text-align: left; vertical-align: top; padding: .45rem .9rem .45rem 0; border-bottom: 1px solid var(--line); }
  th { font-weight: 600; color: var(--soft); font-size: .875rem; white-space: nowrap; }
  td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
  td { white-space: nowrap; } td.wide { white-space: normal; min-width: 13rem; overflow-wrap: anywhere; }
  form { margin: .5rem 0; } form.inline { display: inline-block; margin: 0 .4rem .4rem 0; }
  fieldset { border: 0; padding: 0; margin: .75rem 0; min-width: 0; } legend { font-weight: 600; padding: 0; }
  label { display: block; font-weight: 600; margin: .75rem 0 .2rem; }
  label.check { font-weight: 400; display: flex; gap: .5rem; align-items: baseline; margin: .3rem 0; }
  .fields { display: grid; grid-template-columns: repeat(auto-fit, minmax(13rem, 1fr)); gap: 0 1rem; }
  .fields > div { display: grid; grid-template-rows: subgrid; grid-row: span 3; row-gap: 0; align-content: start; }
  .fields label { align-self: end; }
  input, select, textarea, button { font: inherit; color: inherit; }
  input:not([type=checkbox]), select, textarea { display: block; width: 100%; max-width: 34rem; padding: .5rem .6rem; border: 1px solid var(--soft); border-radius: 6px; background: var(--card); }
  textarea { min-height: 9rem; } textarea.short { min-height: 4.5rem; } textarea.code { max-width: none; }
  [aria-invalid=true] { border-color: var(--unexplained) !important; border-width: 2px !important; }
  .error { color: var(--unexplained); font-weight: 600; margin: .2rem 0 0; }
  .hint { color: var(--soft); font-size: .875rem; margin: .2rem 0 0; }
  button { margin-top: .6rem; padding: .5rem 1rem; min-height: 2.6rem; border: 1px solid var(--button); border-radius: 6px; background: var(--button); color: var(--on-button); font-weight: 600; cursor: pointer; overflow-wrap: normal; }
  button.quiet { background: transparent; color: var(--link); }
  button.danger { background: transparent; color: var(--unexplained); border-color: var(--unexplained); }
  button.bare { border: 0; background: none; color: var(--link); padding: 0; margin: 0; min-height: 1.5rem; font-weight: 400; text-decoration: underline; }
  td select { width: auto !important; display: inline-block !important; }
  td button { margin-top: 0; padding: .2rem .7rem; min-height: 2rem; font-size: .875rem; }
  details { margin: .75rem 0; } summary { cursor: pointer; color: var(--link); padding: .2rem 0; }
  .plot { width: 100%; max-width: 44rem; height: auto; display: block; }
  .plot text { fill: var(--soft); font-size: 11px; text-anchor: middle; }
  .plot line { stroke: var(--line); }
  .bar-known { fill: var(--known); } .bar-expected { fill: var(--expected); } .bar-unexplained { fill: var(--unexplained); } .bar-no-history { fill: var(--no-history); }
  .plot rect { opacity: .82; }
  .legend { display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; list-style: none; padding: 0; margin: .3rem 0; font-size: .875rem; color: var(--soft); }
  .legend span { display: inline-block; width: .8em; height: .8em; border-radius: 2px; margin-right: .4em; }
  .legend .bar-known { background: var(--known); } .legend .bar-expected { background: var(--expected); } .legend .bar-unexplained { background: var(--unexplained); } .legend .bar-no-history { background: var(--no-history); }
  .narrow { max-width: 27rem; margin: 2rem auto; }
  .said { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  ol.steps { padding-left: 0; list-style: none; counter-reset: step; }
  ol.steps > li { counter-increment: step; }
  ol.steps h2::before { content: counter(step) ". "; }
  @media (max-width: 52rem) {
    table, tbody, caption, tr, th[scope=row], td { display: block; }
    th[scope=col] { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
    tr { border-bottom: 1px solid var(--line); padding: .5rem 0; } tr:first-child { padding: 0; }
    th[scope=row], td, td.number { border: 0; padding: .1rem 0; text-align: left; white-space: normal; }
    td.wide { min-width: 0; }
    td[data-label] { position: relative; padding-left: 8rem; min-height: 1.7em; }
    td[data-label]::before { content: attr(data-label); position: absolute; left: 0; width: 7.5rem; font: 400 .875rem/1.6 system-ui, sans-serif; color: var(--soft); }
  }
  @media (max-width: 36rem) {
    dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .6rem; }
    nav ul { flex-wrap: wrap; } nav a { padding: .4rem 0; } .plot text { font-size: 15px; } .who { font-size: .8125rem; } h1 { font-size: 1.3rem; }
    button { width: 100%; } button.bare, td button, form.inline button { width: auto; }
  }
  @media print { header, form, .bottom { display: none; } }

  """
