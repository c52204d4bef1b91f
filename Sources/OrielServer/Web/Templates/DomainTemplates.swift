let domainsTemplate = """
  {{<layout}}{{$main}}
  <h1>Domains</h1>
  <p>{{domainWords}} <a href="/history">History of all of them</a></p>
  {{#hasDomains}}
  <form method="get" action="/domains" role="search"><label for="q">Beginning with</label><input id="q" name="q" type="search" value="{{q}}"><button class="quiet">Find</button></form>
  <ul class="list">
  {{#domains}}<li><div class="line"><a class="names" href="/domains/{{domainID}}"><bdi>{{item}}</bdi></a>{{#readable}} <bdi>({{readable}})</bdi>{{/readable}}{{#isOn}}<span class="badge known">On</span>{{/isOn}}{{^isOn}}<span class="badge plain">Off</span>{{/isOn}}{{#isUnconfirmed}}<span class="badge no-history">No history yet</span>{{/isUnconfirmed}}{{#hasNewCAA}}<span class="badge expected">New CAA records</span>{{/hasNewCAA}}{{#isUnreached}}<span class="badge unexplained">Nobody is told</span>{{/isUnreached}}{{#isConfig}}<small class="end">from the configuration file</small>{{/isConfig}}</div></li>
  {{/domains}}
  </ul>
  {{#nextPage}}<p><a rel="next" href="{{nextPage}}">More</a></p>{{/nextPage}}
  {{/hasDomains}}
  {{#member.mayWrite}}
  <h2>Add a domain</h2>
  <form method="post" action="/domains">{{>code}}
  <label for="item">Domain</label>
  <input id="item" name="item" required autocapitalize="none" spellcheck="false" placeholder="example.com" value="{{typed.item}}"{{#refused.domain.item}} aria-invalid="true"{{/refused.domain.item}} aria-describedby="e-item">
  {{#refused.domain.item}}<p class="error" id="e-item">{{.}}</p>{{/refused.domain.item}}
  {{^refused.domain.item}}<p class="hint" id="e-item"><code>example.com</code> with all below it, <code>=www.example.com</code> for that name alone, an address range, or <code>spki:</code> and a key’s SHA-256. It is off until you turn it on.</p>{{/refused.domain.item}}
  <button>Add</button>
  </form>
  {{/member.mayWrite}}
  {{/main}}{{/layout}}
  """

let domainTemplate = """
  {{<layout}}{{$main}}
  {{#isOne}}{{>domain-head}}{{/isOne}}{{^isOne}}<h1>History of all domains</h1>{{/isOne}}
  {{#plot}}
  <section aria-labelledby="h-plot"><h2 id="h-plot">Issuances by month</h2>
  <svg class="plot" viewBox="0 0 560 170" role="img" aria-label="{{summary}}">
  <line x1="0" y1="138.5" x2="560" y2="138.5"></line>
  {{#columns}}{{#bars}}<rect class="bar-{{level}}" x="{{x}}" y="{{y}}" width="34" height="{{height}}"><title>{{words}}</title></rect>{{/bars}}{{#total}}<text x="{{middle}}" y="{{totalY}}">{{total}}</text>{{/total}}<text x="{{middle}}" y="151">{{month}}</text>{{#year}}<text x="{{middle}}" y="165">{{year}}</text>{{/year}}
  {{/columns}}
  </svg>
  <ul class="legend" aria-hidden="true">{{#legend}}<li><span class="bar-{{level}}"></span>{{words}}</li>{{/legend}}</ul>
  <details><summary>As a table</summary><div class="scroll"><table><tr><th scope="col">Month</th>{{#heads}}<th scope="col" class="number">{{.}}</th>{{/heads}}</tr>{{#columns}}<tr><th scope="row">{{name}}</th>{{#cells}}<td data-label="{{words}}" class="number">{{number}}</td>{{/cells}}</tr>{{/columns}}</table></div></details>
  </section>
  {{/plot}}
  <section aria-labelledby="h-list"><h2 id="h-list">Certificates</h2>
  <details{{#isFiltered}} open{{/isFiltered}}><summary>Filter</summary>
  <form method="get" action="{{listPath}}"><div class="fields">
  <div><label for="level">Verdict</label><select id="level" name="level"><option value="">Any</option>{{#levels}}<option value="{{value}}"{{#isChosen}} selected{{/isChosen}}>{{words}}</option>{{/levels}}</select></div>
  <div><label for="state">State</label><select id="state" name="state"><option value="">Any</option>{{#states}}<option value="{{value}}"{{#isChosen}} selected{{/isChosen}}>{{words}}</option>{{/states}}</select></div>
  {{#inputs}}<div><label for="{{input}}">{{words}}</label><input id="{{input}}" name="{{input}}" type="{{type}}" value="{{value}}"{{#wrong}} aria-invalid="true" aria-describedby="e-{{input}}"{{/wrong}}>{{#wrong}}<p class="error" id="e-{{input}}">{{wrong}}</p>{{/wrong}}</div>{{/inputs}}
  </div><button class="quiet">Filter</button></form></details>
  <div id="history" data-live>
  <p class="soft">{{countWords}}{{#countAll}} <a href="{{countAll}}">Count them all</a>{{/countAll}}</p>
  <ul class="list">{{#judgements}}{{>judgement}}{{/judgements}}</ul>
  {{#nextPage}}<p><a rel="next" href="{{nextPage}}">Older ones</a></p>{{/nextPage}}
  {{#isOne}}<p class="soft"><a href="{{table}}">All of them as CSV</a>, <a rel="alternate" type="application/atom+xml" href="{{listPath}}/feed.atom">as a feed</a></p>{{/isOne}}
  </div></section>
  {{/main}}{{/layout}}
  """

let currentTemplate = """
  {{<layout}}{{$main}}{{>domain-head}}
  <section id="current" data-live aria-labelledby="h-current"><h2 id="h-current">Valid now</h2>
  <p>{{countWords}}{{#soonWords}} <span class="badge expected">{{soonWords}}</span>{{/soonWords}}</p>
  <ul class="list">{{#judgements}}{{>judgement}}{{/judgements}}</ul>
  {{#nextPage}}<p><a rel="next" href="{{nextPage}}">Those that are valid longer</a></p>{{/nextPage}}
  </section>
  {{/main}}{{/layout}}
  """

let publicTemplate = """
  {{<layout}}{{$main}}{{>domain-head}}
  <p class="soft">From the last {{basis}} seen.</p>
  <h2>Who issues</h2>
  <div class="scroll"><table><caption>Certificate authorities, by the key that signed</caption>
  <tr><th scope="col">Issuer</th><th scope="col">Run by</th><th scope="col" class="number">Certificates</th><th scope="col">Last seen</th></tr>
  {{#issuers}}<tr><td data-label="Issuer" class="wide"><bdi>{{issuer}}</bdi></td><td data-label="Run by" class="wide"><bdi>{{owner}}</bdi></td><td data-label="Certificates" class="number">{{number}}</td><td data-label="Last seen"><span class="date">{{seen}}</span></td></tr>{{/issuers}}
  </table></div>
  <h2>Keys</h2>
  <div class="scroll"><table><caption>Keys that were certified, the last first</caption>
  <tr><th scope="col">Key’s SHA-256</th><th scope="col" class="number">Certificates</th><th scope="col">Last seen</th></tr>
  {{#keys}}<tr><td data-label="Key’s SHA-256" class="wide code"><a href="/search?key={{keyHash}}">{{keyHash}}</a></td><td data-label="Certificates" class="number">{{number}}</td><td data-label="Last seen"><span class="date">{{seen}}</span></td></tr>{{/keys}}
  </table></div>
  <h2>Names that everybody can see</h2>
  <div class="card note"><p>Every name in a publicly trusted certificate is published in the logs for good, the names of internal machines and unfinished projects among them. Anybody can list the names below, and some do so to look for ways in.</p>
  <p>If a name should not be known: a <strong>wildcard</strong> certificate (<code>*.example.com</code>) shows none of the names it serves, at the price that its key works for all of them, so keep it on few machines. For what only your own machines reach, a <strong>private CA</strong> publishes nothing, and has to be installed on each of them. What was published once can’t be taken back; a new name can.</p></div>
  <p>{{nameCount}}{{#wildcards}}, {{wildcards}} of them wildcards{{/wildcards}}.{{#namesNote}} {{namesNote}}{{/namesNote}}</p>
  <ul class="list">{{#publicNames}}<li class="line"><bdi class="names">{{name}}</bdi>{{#isWildcard}}<span class="badge plain">wildcard</span>{{/isWildcard}}<small class="end">first seen <span class="date">{{since}}</span>, last <span class="date">{{seen}}</span></small></li>{{/publicNames}}</ul>
  {{/main}}{{/layout}}
  """

let domainSettingsTemplate = """
  {{<layout}}{{$main}}{{>domain-head}}
  {{#isConfig}}<p class="card note">This domain is set in the configuration file. What is told, to whom and when is changed there, and so is whatever else it says.</p>{{/isConfig}}
  {{^isConfig}}{{#member.mayWrite}}
  <h2>Monitoring</h2>
  <form method="post" action="/domains/{{domainID}}/on">{{>code}}<input type="hidden" name="on" value="{{#isOn}}no{{/isOn}}{{^isOn}}yes{{/isOn}}">
  {{#isOn}}<p>On: those concerned hear of new certificates. Turning it off stops that at once.</p><button class="quiet">Turn off</button>{{/isOn}}{{^isOn}}<p>Off: nobody hears of anything.</p><button>Turn on</button>{{/isOn}}</form>
  <h2>When to tell</h2>
  <form method="post" action="/domains/{{domainID}}/delivery">{{>code}}<div class="fields">
  {{#deliveries}}<div><label for="d-{{level}}">{{words}}</label><select id="d-{{level}}" name="{{level}}">{{#times}}<option value="{{value}}"{{#isChosen}} selected{{/isChosen}}>{{words}}</option>{{/times}}</select></div>{{/deliveries}}
  </div><p class="hint">Whatever is expected, but not proven to be yours, is in a digest at least. Everything is recorded in any case.</p><button>Save</button></form>
  {{/member.mayWrite}}{{/isConfig}}

  <h2 id="told">Who is told</h2>
  {{#isConfig}}
  {{#hasConfiguredRecipients}}<p>Those whom the configuration file names; they are changed there.</p><ul>{{#configuredRecipients}}<li><bdi>{{told}}</bdi> <small>(<bdi>{{toldBy}}</bdi>)</small></li>{{/configuredRecipients}}</ul>{{/hasConfiguredRecipients}}
  {{^hasConfiguredRecipients}}{{#knowsConfigured}}<p>Nobody: the configuration file names no recipients for it, and alerts go nowhere.</p>{{/knowsConfigured}}{{^knowsConfigured}}<p>Those whom the configuration file names.</p>{{/knowsConfigured}}{{/hasConfiguredRecipients}}
  {{/isConfig}}
  {{^isConfig}}
  {{^planHasRecipients}}<p>On this plan, all members of the account are told. <a href="/settings">Members</a></p>{{/planHasRecipients}}
  {{#planHasRecipients}}
  {{^hasRecipients}}<p>Nobody: alerts for this domain go nowhere. Add an address.</p>{{/hasRecipients}}
  {{#hasRecipients}}<div class="scroll"><table><tr><th scope="col">Address</th><th scope="col">State</th><th scope="col"><span class="said">Actions</span></th></tr>
  {{#recipients}}<tr><td data-label="Address" class="wide"><bdi>{{recipient}}</bdi></td><td data-label="State" class="wide"><bdi>{{mailState}}</bdi></td><td>{{#member.mayWrite}}{{^isActive}}<form class="inline" method="post" action="/domains/{{domainID}}/recipients/{{recipientID}}/again">{{>code}}<button class="quiet" aria-label="Ask again: {{recipient}}">Ask again</button></form>{{/isActive}}<form class="inline" method="post" action="/domains/{{domainID}}/recipients/{{recipientID}}/remove">{{>code}}<button class="danger" aria-label="Remove {{recipient}}">Remove</button></form>{{/member.mayWrite}}</td></tr>{{/recipients}}
  </table></div>{{/hasRecipients}}
  {{#member.mayWrite}}
  <form method="post" action="/domains/{{domainID}}/recipients">{{>code}}
  <label for="address">Add an e-mail address</label>
  <input id="address" name="address" type="email" required value="{{typed.address}}"{{#refused.recipient.address}} aria-invalid="true" aria-describedby="e-address"{{/refused.recipient.address}}>
  {{#refused.recipient.address}}<p class="error" id="e-address">{{.}}</p>{{/refused.recipient.address}}
  <p class="hint">It needs no account here. It is asked first, and told of nothing before it says yes.</p><button class="quiet">Add</button></form>
  {{/member.mayWrite}}
  {{/planHasRecipients}}
  {{/isConfig}}

  <h2>The beginning</h2>
  {{#isUnconfirmed}}<p>You have not confirmed yet what is in use. Until then, {{beginningWords}}, as “no history yet”.</p>{{/isUnconfirmed}}
  {{^isUnconfirmed}}<p>On <span class="date">{{confirmedOn}}</span> {{#isConfigured.history}}the configuration file{{/isConfigured.history}}{{^isConfigured.history}}you{{/isConfigured.history}} confirmed what was in use until then.</p>{{/isUnconfirmed}}
  <p><a href="/domains/{{domainID}}/first-day">What is in use</a></p>

  <h2>Who may issue</h2>
  <form method="post" action="/domains/{{domainID}}/owners">{{>code}}
  <label for="owners">CA owners that you use, one in each line</label>
  <textarea id="owners" name="owners" aria-describedby="h-owners{{#refused.owners.owners}} e-owners{{/refused.owners.owners}}"{{^member.mayWrite}} readonly{{/member.mayWrite}}{{#isConfigured.owners}} readonly{{/isConfigured.owners}}{{#refused.owners.owners}} aria-invalid="true"{{/refused.owners.owners}}>{{owners}}</textarea>
  {{#refused.owners.owners}}<p class="error" id="e-owners">{{.}}</p>{{/refused.owners.owners}}
  <p class="hint" id="h-owners">As CCADB names them, such as “Internet Security Research Group” for Let’s Encrypt. What other CAs issue is unexplained, unless CAA records that you confirmed allow them. Empty: no such list.{{#ownersSummary}} {{ownersSummary}}{{/ownersSummary}}</p>
  {{#isConfigured.owners}}<p>The configuration file says this; change it there.</p>{{/isConfigured.owners}}
  {{^isConfigured.owners}}{{#member.mayWrite}}<button class="quiet">Save</button>{{/member.mayWrite}}{{/isConfigured.owners}}</form>
  {{#hasCAA}}<h3 id="caa">CAA records</h3>
  {{^hasNoCAA}}
  {{#confirmedCAA}}<p>Confirmed as yours{{#isConfigured.caa}} by the configuration file; they are changed there{{/isConfigured.caa}}:</p><pre>{{.}}</pre>{{/confirmedCAA}}
  {{#hasNewCAA}}{{#seenCAA}}<p>There now:</p><pre>{{.}}</pre>{{/seenCAA}}
  <p>You have not confirmed these. Certificates from the CAs that they name are expected once you have.</p>
  {{^isConfigured.caa}}{{#member.mayWrite}}<form method="post" action="/domains/{{domainID}}/caa">{{>code}}<textarea class="said" name="records" readonly tabindex="-1" aria-hidden="true">{{seenCAA}}</textarea>{{#refused.caa.caa}}<p class="error" id="e-caa">{{.}}</p>{{/refused.caa.caa}}<button>They are as they should be</button></form>{{/member.mayWrite}}{{/isConfigured.caa}}{{/hasNewCAA}}
  {{^hasNewCAA}}{{#seenCAA}}<p>They are there, as they should be.</p>{{/seenCAA}}{{^seenCAA}}<p>What there is now has not been looked up.</p>{{/seenCAA}}{{/hasNewCAA}}
  {{/hasNoCAA}}
  {{#hasNoCAA}}<p>There are none: any CA may issue. A record that names yours keeps all others from it.</p>{{/hasNoCAA}}{{/hasCAA}}

  {{>lookalike-settings}}
  <h2>Mutes</h2>
  {{^hasMutes}}<p>None. A mute keeps alerts away for a while; everything is recorded and shown all the same.</p>{{/hasMutes}}
  {{#hasMutes}}<ul class="list">{{#mutes}}<li class="line"><span>{{rule}} <bdi>{{ruleValue}}</bdi>, until <span class="date">{{until}}</span></span>{{#member.mayWrite}}<form class="inline" method="post" action="/domains/{{domainID}}/mutes/{{muteID}}/end">{{>code}}<button class="bare" aria-label="End it: {{rule}} {{ruleValue}}">End it</button></form>{{/member.mayWrite}}</li>{{/mutes}}</ul>{{/hasMutes}}
  {{#member.mayWrite}}
  <form method="post" action="/domains/{{domainID}}/mutes">{{>code}}{{>guard}}<div class="fields">
  <div><label for="mute-name">For a name and all below it</label><input id="mute-name" name="name" placeholder="empty for the whole domain" value="{{typed.name}}"{{#refused.mute.name}} aria-invalid="true"{{/refused.mute.name}}>{{#refused.mute.name}}<p class="error" id="e-mute-name">{{.}}</p>{{/refused.mute.name}}{{#refused.mute.rule}}<p class="error" id="e-mute-rule">{{.}}</p>{{/refused.mute.rule}}</div>
  <div><label for="mute-until">Until</label><input id="mute-until" name="until" type="date" required value="{{typed.until}}"{{#refused.mute.until}} aria-invalid="true"{{/refused.mute.until}}>{{#refused.mute.until}}<p class="error" id="e-mute-until">{{.}}</p>{{/refused.mute.until}}</div>
  </div><button class="quiet">Mute</button></form>
  {{^isConfig}}<h2>Remove</h2>
  <details><summary>Remove this domain</summary><form method="post" action="/domains/{{domainID}}/remove">{{>code}}{{>guard}}<p>Its recipients, inventory and history go with it.</p><label class="check"><input type="checkbox" name="sure" value="yes" required> Yes, remove <bdi>{{item}}</bdi></label><button class="danger">Remove</button></form></details>{{/isConfig}}
  {{/member.mayWrite}}
  {{/main}}{{/layout}}
  """
