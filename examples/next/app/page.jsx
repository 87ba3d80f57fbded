import { Speech } from "./speech.jsx";

export default function Page() {
  return (
    <Speech model="nano" voice="en_speaker_1" seed="7">
      Hello, my dog is cute.
    </Speech>
  );
}
