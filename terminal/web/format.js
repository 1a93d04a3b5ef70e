// Numbers, moments and spans of time, as the language writes them.

// `words` names the units of spans. Moments are in this machine's time zone, with their day unless it is today.
export function formatFor(language, words) {
  const whole = new Intl.NumberFormat(language);
  const clock = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
  const calendar = new Intl.DateTimeFormat(language, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
  return {
    whole: (number) => whole.format(number),
    moment(rfc3339) {
      const time = new Date(rfc3339);
      return (time.toDateString() === new Date().toDateString() ? clock : calendar).format(time);
    },
    age(seconds) {
      if (seconds === null) return "";
      if (seconds < 120) return words.seconds(Math.round(seconds));
      if (seconds < 7200) return words.minutes(Math.floor(seconds / 60));
      if (seconds < 172_800) return words.hours(Math.floor(seconds / 3600));
      return words.days(Math.floor(seconds / 86_400));
    },
  };
}
