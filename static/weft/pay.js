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

  const left = document.getElementById("left");
  if (left) {
    const end = performance.now() + Number(left.dataset.seconds) * 1000; // by the server's clock, not the buyer's
    const tick = () => {
      const seconds = Math.max(0, Math.round((end - performance.now()) / 1000));
      const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
      const two = (number) => String(number).padStart(2, "0");
      left.lastElementChild.textContent = `${hours ? `${hours}:` : ""}${two(minutes)}:${two(seconds % 60)}`;
      left.hidden = false;
      if (seconds) setTimeout(tick, 1000);
    };
    tick();
  }

  const button = document.getElementById("pay-here");
  if (!button) return;
  const failed = document.getElementById("pay-failed");
  const cancelled = document.getElementById("pay-cancelled");
  const tell = (word) => {
    failed.hidden = word !== "fail";
    cancelled.hidden = word !== "cancel";
    if (word === "ok") look();
  };
  // "get_brand_wcpay_request:ok", ":cancel" or ":fail"; what counts is what the provider tells us
  const pay = () =>
    window.WeixinJSBridge.invoke("getBrandWCPayRequest", JSON.parse(button.dataset.params), (answer) =>
      tell(answer.err_msg.split(":").pop()),
    );
  button.addEventListener("click", () => {
    tell("");
    if (window.WeixinJSBridge) return pay();
    const giveUp = setTimeout(() => tell("fail"), 5000); // WeChat's script did not come
    document.addEventListener("WeixinJSBridgeReady", () => (clearTimeout(giveUp), pay()), { once: true });
  });
})();
