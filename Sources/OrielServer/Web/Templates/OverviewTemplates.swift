let overviewTemplate = """
  {{<layout}}{{$main}}
  <h1>Overview</h1>
  {{^hasDomains}}
  <div class="card note"><h2>Begin with a domain</h2><p>Nothing is watched yet. Add a domain of yours, and say that you want to hear of its certificates.</p><p><a href="/domains">Add a domain</a></p></div>
  {{/hasDomains}}
  <section id="needs" data-live aria-labelledby="h-needs">
  <h2 id="h-needs">What needs you</h2>
  {{#hasOpen}}
  <p>{{openCount}} that nothing you told Oriel explains.{{#hasMoreOpen}} <a href="/history?level=unexplained&amp;state=new">See all</a>{{/hasMoreOpen}}</p>
  <ul class="list">{{#openJudgements}}{{>judgement}}{{/openJudgements}}</ul>
  {{/hasOpen}}
  {{#waiting}}<ul class="list">
  {{#unreached}}<li><span class="badge unexplained">Nobody is told</span> No address of <a href="/domains/{{domainID}}/settings"><bdi>{{item}}</bdi></a> gets mail: alerts for it go nowhere.</li>{{/unreached}}
  {{#bounced}}<li><span class="badge unexplained">Mail came back</span> from <a href="{{bouncePath}}"><bdi>{{bounced}}</bdi></a>{{#item}}, for <bdi>{{item}}</bdi>{{/item}}. It gets no more.{{#why}}<br><small><bdi>{{why}}</bdi></small>{{/why}}</li>{{/bounced}}
  {{#changedCAA}}<li><span class="badge expected">New CAA records</span> of <a href="/domains/{{domainID}}/settings#caa"><bdi>{{item}}</bdi></a>: say whether they are as they should be.</li>{{/changedCAA}}
  {{#beginnings}}<li><span class="badge no-history">No history yet</span> {{count}} for <bdi>{{item}}</bdi>. <a href="/domains/{{domainID}}/first-day">Say which ones are yours<span class="said"> of {{item}}</span></a></li>{{/beginnings}}
  </ul>{{/waiting}}
  {{#quietWords}}<p>{{quietWords}}</p>{{/quietWords}}
  </section>
  <section id="week" data-live aria-labelledby="h-week">
  <h2 id="h-week">The last seven days</h2>
  <ul class="figures">{{#figures}}<li><b>{{number}}</b><span class="{{level}}"> </span> {{words}}</li>{{/figures}}</ul>
  {{#hasRoutine}}<h3>What was routine</h3>
  <ul class="list">{{#routine}}{{>judgement}}{{/routine}}</ul>{{/hasRoutine}}
  </section>
  <section aria-labelledby="h-watch">
  <h2 id="h-watch">What is watched</h2>
  <p>{{domainWords}} <a href="/domains">Domains</a></p>
  <p>{{logWords}} <a href="/logs">Logs</a></p>
  {{#hasTrouble}}<ul class="list">{{#trouble}}<li><span class="badge {{badge}}">{{stateWords}}</span> <bdi>{{log}}</bdi>{{#why}}: <bdi>{{why}}</bdi>{{/why}}</li>{{/trouble}}</ul>{{/hasTrouble}}
  </section>
  {{/main}}{{/layout}}
  """

let logsTemplate = """
  {{<layout}}{{$main}}
  <h1>Logs</h1>
  <p>{{logWords}} What a log says is taken for true once its tree adds up.</p>
  {{#hasLogs}}
  <div class="scroll" id="logs" data-live tabindex="0" role="region" aria-label="Logs"><table><caption>Logs that are followed</caption>
  <tr><th scope="col">Log</th><th scope="col">State</th><th scope="col">Since</th><th scope="col" class="number">Verified to</th><th scope="col" class="number">Behind by</th><th scope="col" class="number">Per second</th><th scope="col">Last answer</th></tr>
  {{#logs}}<tr><td data-label="Log" class="wide"><a href="/logs/{{logID}}"><bdi>{{log}}</bdi></a><br><small><bdi>{{operator}}</bdi>, {{kind}}</small></td><td data-label="State" class="wide"><span class="badge {{badge}}">{{stateWords}}</span>{{#why}}<br><small><bdi>{{why}}</bdi></small>{{/why}}</td><td data-label="Since"><span class="date">{{since}}</span></td><td data-label="Verified to" class="number">{{verified}}</td><td data-label="Behind by" class="number">{{lag}}</td><td data-label="Per second" class="number">{{rate}}</td><td data-label="Last answer">{{answered}}</td></tr>
  {{/logs}}
  </table></div>
  {{/hasLogs}}
  {{^hasLogs}}<p>No log has been followed yet.</p>{{/hasLogs}}
  {{/main}}{{/layout}}
  """

let logTemplate = """
  {{<layout}}{{$main}}
  <h1><bdi>{{log}}</bdi></h1>
  <p><span class="badge {{badge}}">{{stateWords}}</span> since <span class="date">{{since}}</span>{{#why}}: <bdi>{{why}}</bdi>{{/why}}</p>
  <p>{{meaning}}</p>
  <dl>
  <dt>Operator</dt><dd><bdi>{{operator}}</bdi></dd>
  <dt>Address</dt><dd><bdi>{{url}}</bdi> <small>({{kind}})</small></dd>
  <dt>Log ID</dt><dd class="code">{{logID}}</dd>
  <dt>Followed since</dt><dd><span class="date">{{followed}}</span></dd>
  <dt>Last answer</dt><dd>{{answered}}</dd>
  <dt>Verified to</dt><dd>{{verified}}</dd>
  <dt>Behind by</dt><dd>{{lag}}</dd>
  <dt>Unreadable entries</dt><dd>{{unreadable}}</dd>
  </dl>
  <h2>Evidence</h2>
  {{#hasEvidence}}
  <p>What the log did that it must not. The signed bytes are kept.</p>
  <div class="scroll"><table><tr><th scope="col">When</th><th scope="col">What</th><th scope="col">In words</th></tr>
  {{#evidence}}<tr><td data-label="When"><span class="date">{{when}}</span></td><td data-label="What" class="code">{{kindOf}}</td><td data-label="In words" class="wide"><bdi>{{detail}}</bdi></td></tr>
  {{/evidence}}
  </table></div>
  {{/hasEvidence}}
  {{^hasEvidence}}<p>None against this log.</p>{{/hasEvidence}}
  {{/main}}{{/layout}}
  """

let alertsTemplate = """
  {{<layout}}{{$main}}
  <h1>Alerts and deliveries</h1>
  {{#hasDeliveries}}
  <div class="scroll" id="deliveries" data-live tabindex="0" role="region" aria-label="Deliveries"><table><caption>What was sent, the newest first</caption>
  <tr><th scope="col">When</th><th scope="col">What</th><th scope="col">To</th><th scope="col">State</th></tr>
  {{#deliveries}}<tr><td data-label="When"><span class="date">{{when}}</span></td><td data-label="What" class="wide">{{#level}}<span class="badge {{level}}">{{levelWords}}</span> <a class="names" href="/issuances/{{issuance}}?domain={{domainID}}">{{#names}}<bdi>{{name}}</bdi>{{#isCommon}} <small>(common name)</small>{{/isCommon}}{{^last()}}, {{/last()}}{{/names}}{{^names}}names that can't be read{{/names}}</a>{{#moreNames}} <small>and {{moreNames}} more</small>{{/moreNames}}<br><small>{{kindOf}}, for <bdi>{{about}}</bdi></small>{{/level}}{{^level}}{{#deliveredIssuance}}<a href="/issuances/{{deliveredIssuance}}">{{kindOf}}</a>{{/deliveredIssuance}}{{^deliveredIssuance}}{{kindOf}}{{/deliveredIssuance}}{{#about}}: <bdi>{{about}}</bdi>{{/about}}{{/level}}</td><td data-label="To" class="wide"><bdi>{{target}}</bdi></td><td data-label="State" class="wide">{{stateWords}}{{#tries}} <small>after {{tries}}</small>{{/tries}}{{#said}}<br><small><bdi>{{said}}</bdi></small>{{/said}}</td></tr>
  {{/deliveries}}
  </table></div>
  {{#nextPage}}<p><a rel="next" href="{{nextPage}}">Older</a></p>{{/nextPage}}
  {{/hasDeliveries}}
  {{^hasDeliveries}}<p>Nothing has been sent yet. What is sent, and when, is set for each <a href="/domains">domain</a>.</p>{{/hasDeliveries}}
  {{/main}}{{/layout}}
  """

let searchTemplate = """
  {{<layout}}{{$main}}
  <h1>Search</h1>
  <form method="get" action="/search" role="search">
  <div class="fields">
  {{#inputs}}<div><label for="{{input}}">{{words}}</label>
  <input id="{{input}}" name="{{input}}" type="{{type}}" value="{{value}}"{{#wrong}} aria-invalid="true" aria-describedby="e-{{input}}"{{/wrong}}>
  {{#wrong}}<p class="error" id="e-{{input}}">{{wrong}}</p>{{/wrong}}{{^wrong}}{{#hint}}<p class="hint">{{hint}}</p>{{/hint}}{{/wrong}}</div>
  {{/inputs}}
  </div>
  <button>Search</button>
  </form>
  {{#wasAsked}}
  <h2>{{countWords}}</h2>
  {{#countAll}}<p><a href="{{countAll}}">Count them all</a></p>{{/countAll}}
  <ul class="list">{{#results}}{{>judgement}}{{/results}}</ul>
  {{#nextPage}}<p><a rel="next" href="{{nextPage}}">Older ones</a></p>{{/nextPage}}
  <p class="soft"><a href="{{table}}">All of them as CSV</a></p>
  {{/wasAsked}}
  {{/main}}{{/layout}}
  """

let viewerTemplate = """
  {{<layout}}{{$main}}
  <h1>Certificate</h1>
  <p>Shows what a certificate says. It is not kept, and nobody is asked about it.</p>
  <form method="post" action="/certificate">{{>code}}
  <label for="pem">A certificate as PEM, perhaps with its issuer’s after it</label>
  <textarea class="code" id="pem" name="pem" required spellcheck="false" maxlength="500000"{{#wrongPEM}} aria-invalid="true" aria-describedby="e-pem"{{/wrongPEM}}>{{typed.pem}}</textarea>
  {{#wrongPEM}}<p class="error" id="e-pem">{{wrongPEM}}</p>{{/wrongPEM}}
  <button>Show</button>
  </form>
  {{#viewed}}<h2>What it says</h2>{{>facts}}{{/viewed}}
  {{/main}}{{/layout}}
  """
