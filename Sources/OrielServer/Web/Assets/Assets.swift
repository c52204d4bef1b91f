import HTTPTypes
import HummingbirdCore
import MerkleTree
import NIOCore

/// What pages load beside themselves, at addresses that change with what is there.
struct Assets: Sendable {
  struct Asset: Sendable {
    let path: String
    let type: String
    let body: ByteBuffer

    init(_ name: String, _ ending: String, type: String, _ text: String) {
      path = "/assets/\(name)-\(SHA256Hash.hash(Array(text.utf8)).hex.prefix(16)).\(ending)"
      self.type = type
      body = ByteBuffer(string: text)
    }

    var response: Response {
      Response(
        status: .ok, headers: [.contentType: type, .cacheControl: "public, max-age=31536000, immutable"],
        body: ResponseBody(byteBuffer: body))
    }
  }

  let style = Asset("style", "css", type: "text/css; charset=utf-8", styleSheet)
  let script = Asset("live", "js", type: "text/javascript; charset=utf-8", liveScript)
}

/// Puts what is new into the page that is open, where it says that it wants that.
let liveScript = """
  "use strict";
  (() => {
    const { mark, open: openAtFirst } = document.currentScript.dataset;
    const title = document.title;
    const said = document.getElementById("said");
    const name = (count) => { document.title = count > 0 ? `(${count}) ${title}` : title; };
    let open = Number(openAtFirst);
    name(open);
    if (!document.querySelector("[data-live]") || !window.EventSource) return;
    let isFetching = false, isStale = false;
    const fill = async () => {
      const place = new URL(location.href);
      // Not all of them anew each time.
      place.searchParams.delete("count");
      const answer = await fetch(place, { credentials: "same-origin" });
      if (!answer.ok || answer.redirected) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const count = page.getElementById("open");
      if (count) document.getElementById("open")?.replaceWith(count);
      for (const part of document.querySelectorAll("[data-live]")) {
        const fresh = page.getElementById(part.id);
        // Nobody wants the thing that they are at replaced under their hands.
        if (part.contains(document.activeElement)) isStale = true;
        else if (fresh) part.replaceChildren(...fresh.childNodes);
      }
    };
    const refresh = async () => {
      isStale = true;
      if (isFetching) return;
      isFetching = true;
      try {
        do { isStale = false; await fill(); } while (isStale && !document.activeElement?.closest("[data-live]"));
      } finally { isFetching = false; }
    };
    document.addEventListener("focusout", () => { if (isStale) setTimeout(refresh); });
    let source = null, seen = mark;
    const hear = (event) => {
      const count = Number(event.data);
      seen = event.lastEventId;
      refresh().catch(() => {});
      if (count > open) said.textContent = `${count} need you now`;
      open = count;
      name(open);
    };
    // Browsers have few connections to one host: pages that nobody sees must not hold them.
    const follow = () => {
      if (document.hidden) {
        source?.close();
        source = null;
      } else if (!source) {
        source = new EventSource(seen ? `/events?since=${seen}` : "/events");
        source.addEventListener("news", hear);
      }
    };
    document.addEventListener("visibilitychange", follow);
    follow();
  })();

  """
