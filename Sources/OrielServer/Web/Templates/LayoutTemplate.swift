/// What is around every page.
let layoutTemplate = """
  <!doctype html>
  <html lang="en">
  <head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="color-scheme" content="light dark">
  <title>{{title}} · Oriel</title>
  <link rel="stylesheet" href="{{style}}">
  <link rel="icon" href="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Cpath d='M3 15V6l5-5 5 5v9z' fill='%231a5688'/%3E%3Cpath d='M8 4v10M4.5 9h7' stroke='white'/%3E%3C/svg%3E">
  {{#member}}<script src="{{script}}" data-open="{{openTotal}}"{{#mark}} data-mark="{{mark}}"{{/mark}} defer></script>{{/member}}
  </head>
  <body>
  <a class="skip" href="#main">Skip to the content</a>
  <header>
  <div class="top">
  <a class="brand" href="/">Oriel</a>
  {{#member}}
  <div class="who">
  {{^isInSeveral}}<span><bdi>{{accountName}}</bdi></span>{{/isInSeveral}}
  {{#isInSeveral}}<form method="post" action="/account">{{>code}}<label class="said" for="account">Account</label><select id="account" name="account">{{#others}}<option value="{{accountID}}"{{#isChosen}} selected{{/isChosen}}>{{accountName}}</option>{{/others}}</select> <button class="bare">Switch</button></form>{{/isInSeveral}}
  <span><bdi>{{address}}</bdi></span>
  <form method="post" action="/sign-out">{{>code}}<button class="bare">Sign out</button></form>
  </div>
  <nav class="main" aria-label="Main"><ul>
  {{#sections}}<li><a href="{{path}}"{{#isCurrent}} aria-current="page"{{/isCurrent}}>{{words}}{{#counts}} <span class="count" id="open" title="need you"{{^openInSection}} hidden{{/openInSection}}>{{openInSection}}</span>{{/counts}}</a></li>
  {{/sections}}
  </ul></nav>
  {{/member}}
  </div>
  </header>
  <main id="main">{{#done}}<p class="card note" role="status">{{done}}</p>{{/done}}{{#refusal}}<p class="card bad" role="alert">Not saved: {{#refusedAt}}see <a href="#{{refusedAt}}">what is wrong</a>{{/refusedAt}}{{^refusedAt}}{{refusal}}{{/refusedAt}}.</p>{{/refusal}}
  {{$main}}{{/main}}
  </main>
  <p class="said" id="said" role="status" aria-live="polite"></p>
  <footer class="bottom">Oriel watches Certificate Transparency logs. Times are in UTC.</footer>
  </body>
  </html>

  """

/// Shows that a form comes from a page of ours.
let codeTemplate = #"<input type="hidden" name="code" value="{{formCode}}">"#

/// First in a form that takes a decision: Enter in a field presses the first button, and this one does nothing.
let guardTemplate = "<button disabled hidden></button>"

let problemTemplate = """
  {{<layout}}{{$main}}
  <h1>{{title}}</h1>
  <p>{{words}}</p>
  <p><a href="/">To the overview</a></p>
  {{/main}}{{/layout}}
  """

/// One issuance in a list, with what was made of it.
let judgementTemplate = """
  <li>
  <div class="line">{{#levelWords}}<span class="badge {{level}}">{{levelWords}}</span>{{/levelWords}}{{#isUnproven}}<span class="badge plain">unproven</span>{{/isUnproven}}{{#stateWords}}<span class="badge plain">{{stateWords}}</span>{{/stateWords}}{{#ends}}<span class="badge {{endsLevel}}">{{ends}}</span>{{/ends}}<small class="end">{{seen}}</small></div>
  <a class="names" href="/issuances/{{issuance}}{{#domainID}}?domain={{domainID}}{{/domainID}}">{{#names}}<bdi>{{name}}</bdi>{{#isCommon}} <small>(common name)</small>{{/isCommon}}{{^last()}}, {{/last()}}{{/names}}{{^names}}names that can't be read{{/names}}</a>{{#moreNames}} <small>and {{moreNames}} more</small>{{/moreNames}}
  <div class="soft"><bdi>{{issuer}}</bdi>, <span class="date">{{from}}</span> to <span class="date">{{to}}</span>{{#forItem}}, for <bdi>{{forItem}}</bdi>{{/forItem}}</div>
  {{#reason}}<div><bdi>{{reason}}</bdi></div>{{/reason}}
  </li>

  """

/// A certificate, decoded.
let factsTemplate = """
  <dl>
  <dt>Names</dt><dd>{{#allNames}}<bdi>{{name}}</bdi>{{#isCommon}} <small>(common name)</small>{{/isCommon}}{{^last()}}<br>{{/last()}}{{/allNames}}{{^allNames}}none that can be read{{/allNames}}{{#moreAllNames}}<br><small>and {{moreAllNames}} more</small>{{/moreAllNames}}</dd>
  <dt>Subject</dt><dd><bdi>{{subject}}</bdi></dd>
  <dt>Issuer</dt><dd><bdi>{{issuerName}}</bdi>{{#owner}}<br><small>run by <bdi>{{owner}}</bdi>, says CCADB</small>{{/owner}}</dd>
  <dt>Valid</dt><dd><span class="date">{{from}}</span> to <span class="date">{{to}}</span>{{#days}} <small>({{days}}{{#isOver}}, over{{/isOver}})</small>{{/days}}</dd>
  <dt>Serial number</dt><dd class="code">{{serial}}</dd>
  <dt>Key</dt><dd><bdi>{{keyType}}</bdi></dd>
  {{#keyHash}}<dt>Key’s SHA-256</dt><dd class="code">{{keyHash}}</dd>{{/keyHash}}
  {{#hashes}}<dt>{{kind}}’s SHA-256</dt><dd class="code">{{hash}}</dd>
  {{/hashes}}
  </dl>
  {{#hasDetails}}<h3>Signature and extensions</h3>
  <dl>
  {{#details}}<dt>{{detail}}{{#isCritical}} <small>(critical)</small>{{/isCritical}}</dt><dd>{{#lines}}<bdi>{{.}}</bdi>{{^last()}}<br>{{/last()}}{{/lines}}</dd>
  {{/details}}
  </dl>{{/hasDetails}}
  {{#detailsNote}}<p class="soft"><bdi>{{detailsNote}}</bdi></p>{{/detailsNote}}
  {{#hasProblems}}<div class="card bad"><p>Not all of it can be read:</p><ul>{{#problems}}<li><bdi>{{.}}</bdi></li>{{/problems}}</ul></div>{{/hasProblems}}
  {{#hasPolicies}}
  <h2>In browsers</h2>
  <div class="scroll"><table><caption>Whether it has the proofs of logging that browsers ask for</caption>
  <tr><th scope="col">Policy</th><th scope="col">Verdict</th><th scope="col" class="number">Logs that count</th><th scope="col">Why</th><th scope="col">Log list</th></tr>
  {{#policies}}<tr><td data-label="Policy">{{policy}}</td><td data-label="Verdict"><span class="badge {{verdictBadge}}">{{verdictWords}}</span></td><td data-label="Logs that count" class="number">{{counted}}</td><td data-label="Why" class="wide">{{summary}} <small class="code">{{verdictCode}}</small></td><td data-label="Log list"><bdi>{{list}}</bdi>{{#listDate}}, <span class="date">{{listDate}}</span>{{/listDate}}</td></tr>
  {{/policies}}
  </table></div>
  {{/hasPolicies}}
  {{#policyNote}}<p class="soft">{{policyNote}}</p>{{/policyNote}}
  <details><summary>PEM</summary><pre>{{pem}}</pre></details>

  """

let domainHeadTemplate = """
  <h1><bdi>{{item}}</bdi>{{#readable}} <small>(<bdi>{{readable}}</bdi>)</small>{{/readable}}</h1>
  {{^isOn}}<p class="card note">This domain is off: nobody is told of its certificates. {{#member.mayWrite}}<a href="/domains/{{domainID}}/settings">Turn it on</a>{{/member.mayWrite}}</p>{{/isOn}}
  {{#isUnreached}}<p class="card bad">Nobody is told: no address of this domain gets mail, and its alerts go nowhere. <a href="/domains/{{domainID}}/settings#told">Who is told</a></p>{{/isUnreached}}
  {{#isBeginning}}<p class="card note">No history yet: {{beginningWords}}. <a href="/domains/{{domainID}}/first-day">Say which ones are yours</a></p>{{/isBeginning}}
  <nav class="sub" aria-label="Domain"><ul>
  {{#tabs}}<li><a href="/domains/{{domainID}}{{tab}}"{{#isCurrent}} aria-current="page"{{/isCurrent}}>{{words}}</a></li>
  {{/tabs}}
  </ul></nav>

  """
