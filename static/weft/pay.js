// The page of a payment: notices by our own row when it is paid, and opens WeChat's own payment inside WeChat.
"use strict";

(() => {
  const page = document.getElementById("payment");
  if (!page) return;
  const shown = page.dataset.state;
  const pause = Number(page.dataset.retry) * 1000;

  async function look() {
    try {
      const answer = await fetch(page.dataset.status, { headers: { accept: "application/json" }, cache: "no-store" });
      if (answer.ok && (await answer.json()).state !== shown) {
        location.reload();
        return;
      }
    } catch {
      // no connection: the next look tells
    }
    setTimeout(look, document.hidden ? pause * 5 : pause);
  }
  setTimeout(look, pause);

  const button = document.getElementById("pay-here");
  if (!button) return;
  const pay = () => window.WeixinJSBridge.invoke("getBrandWCPayRequest", JSON.parse(button.dataset.params), () => look());
  button.addEventListener("click", () => {
    if (window.WeixinJSBridge) pay();
    else document.addEventListener("WeixinJSBridgeReady", pay, { once: true });
  });
})();
